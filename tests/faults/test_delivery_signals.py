"""Killed at random moments, hundreds of times: whoever was told of success has a working key, and nobody else has."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pytest

from tests.support.ground import active_keys, open_operations, orphans, sha256
from tests.support.promises import Scene
from tests.support.sandbox import DEADLINE, SECRET, Sandbox
from tests.support.syscalls import Fault, needs_strace, strace

KILLS: Final = 26
BATCHES: Final = 2
SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One creation that was sent a signal; `told` is what it printed."""

    name: str
    variable: str
    code: int
    out: str
    err: str


def attempt(sandbox: Sandbox, name: str, *, into_file: bool, number: signal.Signals, after: float) -> Attempt:
    variable = name.upper().replace("-", "_")
    more = ["--env-file", ".env", "--var", variable] if into_file else []
    process = sandbox.start("keys", "create", "--name", name, *more, preexec_fn=_restore_interrupts)
    time.sleep(after)
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)
    return Attempt(name, variable, process.returncode, out.decode(), err.decode())


def _restore_interrupts() -> None:
    """A test run in the background has SIGINT ignored, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def duration(sandbox: Sandbox, *more: str) -> float:
    """How long a creation takes here and now, to spread the signals over; nothing is asserted of it."""
    begun = time.monotonic()
    sandbox.ok("keys", "create", "--name", f"timed-{len(more)}", *more)
    return time.monotonic() - begun


@pytest.mark.parametrize("into_file", [True, False], ids=["into a file", "printed"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_at_any_moment_leaves_no_active_key_that_nobody_has(
    scene: Scene, number: signal.Signals, into_file: bool
) -> None:
    sandbox, env_file = scene.sandbox, scene.sandbox.cwd / ".env"
    rng = random.Random(f"{number}-{into_file}")
    printed = sandbox.ok("keys", "create", "--name", "printed-before").out
    longest = duration(sandbox, *(("--env-file", ".env", "--var", "TIMED") if into_file else ()))
    told: list[Attempt] = []
    for batch in range(BATCHES):
        for n in range(KILLS // BATCHES):
            # The first third of a run is Python importing modules: less is to be learned there.
            after = longest * rng.uniform(0.2, 1.1)
            told.append(attempt(sandbox, f"k-{batch}-{n}", into_file=into_file, number=number, after=after))
        sandbox.ok("keys", "update", "other", "--rpm", str(batch + 1))
        alive = {key.name: key.sha256 for key in active_keys(sandbox.key_store)}
        timed = {"timed-0", "timed-4"}
        assert [key for key in orphans(sandbox, printed, *(each.out for each in told)) if key.name not in timed] == []
        assert open_operations(sandbox.state_file) == 0
        assert sandbox.committable() == []
        lines = dict(line.split("=", 1) for line in env_file.read_text().splitlines() if "=" in line)
        for each in told:
            delivered = lines.get(each.variable, "") if into_file else each.out.strip()
            if each.code == 0:
                assert alive[each.name] == sha256(delivered)
            elif "No key was created" in each.err:
                assert each.name not in alive
            assert not into_file or (each.variable in lines) == (each.name in alive)
        assert all(SECRET.fullmatch(value) for name, value in lines.items() if name.startswith("K_"))
    for each in [each for each in told if each.name not in alive][:1]:
        sandbox.ok("keys", "create", "--name", each.name)


@pytest.mark.parametrize("into_file", [True, False], ids=["into a file", "printed"])
def test_hanging_up_does_not_end_what_nohup_protects(scene: Scene, into_file: bool) -> None:
    def ignore_hang_ups() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    more = ["--env-file", ".env"] if into_file else []
    process = scene.sandbox.start("keys", "create", "--name", "worker", *more, preexec_fn=ignore_hang_ups)
    while process.returncode is None:
        process.send_signal(signal.SIGHUP)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=0.005)
    assert process.returncode == 0
    assert len(scene.workers()) == 1


@needs_strace
def test_an_interrupt_of_the_imports_shows_no_traceback(scene: Scene) -> None:
    """Ctrl-C at the opening of one module and another, from the first that `main` imports on."""
    log = scene.sandbox.root / "strace"
    scene.sandbox.ok("keys", "list", through=strace("-o", str(log), "-e", "trace=openat"))
    opened = [line for line in log.read_text().splitlines() if line.startswith("openat(")]
    first = next(n for n, line in enumerate(opened, start=1) if "routic_cli/__pycache__/app." in line)
    for number in range(first, len(opened), 15):
        done = Fault("openat", "signal=INT", number).befalls(scene.sandbox, "keys", "list")
        assert done is not None
        assert (done.out, done.err.replace("✗ Interrupted\n", "")) == ("", "")
        assert done.code in {-signal.SIGINT, 130}


def test_two_interrupts_are_no_worse_than_one(scene: Scene) -> None:
    rng = random.Random(2)
    longest = duration(scene.sandbox, "--env-file", ".env", "--var", "TIMED")
    for n in range(12):
        command = ["keys", "create", "--name", f"k-{n}", "--env-file", ".env", "--var", f"K{n}"]
        process = scene.sandbox.start(*command, preexec_fn=_restore_interrupts)
        time.sleep(longest * rng.uniform(0.4, 1.0))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        process.communicate(timeout=DEADLINE)
    scene.sandbox.ok("keys", "update", "other", "--rpm", "1")
    assert orphans(scene.sandbox) == []
    assert open_operations(scene.sandbox.state_file) == 0
    assert scene.sandbox.committable() == []
