"""System calls that fail, or are the last thing a process does: strace injects into the real, installed `routic`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest

from tests.support.promises import Scene
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
    number: int = 1
    lasting: bool = False

    def befalls(self, sandbox: Sandbox, *arguments: object) -> Done | None:
        """How the command ended; None when it never made that call."""
        log = sandbox.root / "strace"
        when = f"{self.number}{'+' if self.lasting else ''}"
        inject = f"inject={self.call}:{self.effect}:when={when}"
        done = sandbox.run(*arguments, through=strace("-o", str(log), "-e", f"trace={self.call}", "-e", inject))
        text = log.read_text()
        log.unlink()
        befell = "INJECTED" in text or (self.effect.startswith("signal") and done.code != 0)
        return done if befell else None


def walk(
    fault: Fault, new_scene: Callable[[], Scene], *arguments: object, step: int = 1
) -> Iterator[tuple[Scene, Done]]:
    """The fault at its first call, the next, and so on by `step`, each in a new scene; until there is no such call."""
    number = fault.number
    while True:
        scene = new_scene()
        done = replace(fault, number=number).befalls(scene.sandbox, *arguments)
        if done is None:
            break
        yield scene, done
        shutil.rmtree(scene.sandbox.root)
        number += step
    assert number > fault.number, f"{fault.call} is never called"


def count_calls(sandbox: Sandbox, call: str, *arguments: object) -> int:
    """How often a command makes a call when nothing befalls it."""
    log = sandbox.root / "strace"
    sandbox.ok(*arguments, through=strace("-o", str(log), "-e", f"trace={call}"))
    text = log.read_text()
    log.unlink()
    return len(re.findall(rf"^{call}\(", text, re.MULTILINE))
