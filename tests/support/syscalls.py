"""System calls that fail, or are the last thing a process does: strace injects into the real, installed `routic`."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.sandbox import Done, Sandbox

_STRACE: Final = shutil.which("strace") or "strace"

needs_strace: Final = pytest.mark.skipif(
    shutil.which("strace") is None, reason="only strace can stop a real process between two system calls; CI has it"
)


def strace(*options: str) -> tuple[str, ...]:
    """The command line that runs another one under strace."""
    return (_STRACE, "-qq", "-e", "signal=none", *options)


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls the `number`-th `call` of routic itself, not of its children; from there on all, if `lasting`.

    `effect` is strace's: `signal=KILL` before the call is made, `error=ENOSPC` instead of it.
    """

    call: str
    effect: str
    number: int
    lasting: bool = False

    def befalls(self, sandbox: Sandbox, *arguments: object) -> Done | None:
        """How the command ended; None when it never made that call."""
        log = sandbox.root / "strace"
        when = f"{self.number}{'+' if self.lasting else ''}"
        inject = f"inject={self.call}:{self.effect}:when={when}"
        done = sandbox.run(*arguments, through=strace("-o", str(log), "-e", f"trace={self.call}", "-e", inject))
        text = log.read_text()
        log.unlink()
        return done if re.search(r"INJECTED|killed by SIGKILL", text) else None


def count_calls(sandbox: Sandbox, call: str, *arguments: object) -> int:
    """How often a command makes a call when nothing befalls it."""
    log = Path(sandbox.root / "strace")
    sandbox.ok(*arguments, through=strace("-o", str(log), "-e", f"trace={call}"))
    text = log.read_text()
    log.unlink()
    return len(re.findall(rf"^{call}\(", text, re.MULTILINE))
