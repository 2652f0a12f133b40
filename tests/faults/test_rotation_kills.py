"""Rotations that are killed at any moment, starved, locked out or hindered: no secret in any file is ever refused."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3  # noqa: TID253  # the other process that has the store locked
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from routic_cli.domain.keys import VerdictStatus
from routic_cli.store import connection
from tests.support.rotations import (
    GRACE,
    NOTHING,
    Machine,
    at_boundary,
    end_of_child,
    folder_in_memory,
    start_child,
)
from tests.support.sandbox import Done
from tests.support.syscalls import Fault, needs_strace

SEED: Final = 20_260_709
KILLS: Final = 50
KILLS_OF_THE_INSTALLED_COMMAND: Final = 15
A_LITTLE_LATER: Final = 3600
"""By then an end that was set to a moment ago has passed, and one a day ahead has not."""


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A key in three files, the first of which is in a git repository, where it is staged in git's own directory."""
    with folder_in_memory() as folder:
        made = Machine(folder / "machine", now=int(time.time()))
        subprocess.run(["git", "init", "--quiet", made.path("a")], check=True)
        made.path("a/.gitignore").write_text(".env\n")
        assert made.create() == 0, made.said
        yield made


@pytest.fixture
def rotated(machine: Machine) -> Machine:
    assert machine.rotate() == 0
    return machine


def assert_let_in(machine: Machine, where: str) -> None:
    """What holds before any recovery."""
    machine.now += A_LITTLE_LATER
    assert machine.refused() == [], f"before any recovery, {where}"


def assert_tidy_after_the_next_change(machine: Machine, where: str) -> None:
    assert machine.run("keys", "update", "service", "--rpm", "7") == 0, f"{where}: {machine.said}"
    assert machine.leftovers() == NOTHING, f"{where}: {machine.said}"
    assert len({machine.held(name) for name in machine.files}) == 1, f"neither all nor nothing, {where}"
    machine.now += GRACE
    assert machine.refused() == [], f"a day later, {where}"


# At any call of C code: an exact moment, the same on every machine.


def killed_at_call(machine: Machine, number: int, *arguments: object) -> int:
    """Run a command line that kills itself at its number-th call of a function in C; -9, or how it ended else."""

    def counted() -> int:
        left = number

        def count(_: object, event: str, __: object) -> None:
            nonlocal left
            if event in {"c_call", "c_return"}:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        try:
            return machine._become(arguments, None)
        finally:
            sys.setprofile(None)
            machine.path("calls").write_text(str(number - left))

    return end_of_child(start_child(counted))


def kills(machine: Machine, *arguments: object) -> Iterator[str]:
    """The machine after each of many kills."""
    machine.keep()
    began = machine.now
    assert killed_at_call(machine, sys.maxsize, *arguments) == 0, machine.said
    calls = int(machine.path("calls").read_text())
    killed = 0
    # The first calls parse the command line and ask git; what matters comes after.
    for number in random.Random(SEED).sample(range(calls // 4, calls), KILLS):
        machine.restore()
        machine.now = began
        # Waiting for git takes more calls or fewer; one of the last may not be reached.
        code = killed_at_call(machine, number, *arguments)
        assert code in {-signal.SIGKILL, 0}
        killed += code != 0
        yield f"killed at call {number} of {calls}"
    assert killed > KILLS * 0.8


def test_a_rotation_killed_at_any_moment_gets_no_secret_refused(machine: Machine) -> None:
    for where in kills(machine, "rotate", "service"):
        assert_let_in(machine, where)
        assert_tidy_after_the_next_change(machine, where)


def test_a_rotation_of_a_rotation_killed_at_any_moment_gets_no_secret_refused(rotated: Machine) -> None:
    for where in kills(rotated, "rotate", "service"):
        assert_let_in(rotated, where)
        assert_tidy_after_the_next_change(rotated, where)


def test_an_abort_killed_at_any_moment_gets_no_secret_refused(rotated: Machine) -> None:
    for where in kills(rotated, "rotate", "service", "--abort", "--yes"):
        assert_let_in(rotated, where)
        assert_tidy_after_the_next_change(rotated, where)


# The installed command, at any moment of the clock on the wall.


@pytest.mark.parametrize("arguments", [("rotate", "service"), ("rotate", "service", "--abort", "--yes")])
def test_the_installed_command_killed_at_any_moment_gets_no_secret_refused(
    rotated: Machine, arguments: tuple[str, ...]
) -> None:
    rotated.keep()
    began, chance = rotated.now, random.Random(SEED)
    started = time.monotonic()
    rotated.installed().ok(*arguments)
    lasts = time.monotonic() - started
    for _ in range(KILLS_OF_THE_INSTALLED_COMMAND):
        rotated.restore()
        rotated.now = began
        delay = chance.uniform(0.3, 1.1) * lasts
        with rotated.installed().start(*arguments) as process:
            time.sleep(delay)
            process.kill()
            process.communicate()
        where = f"killed after {delay:.3f} s of {lasts:.3f} s"
        assert_let_in(rotated, where)
        assert_tidy_after_the_next_change(rotated, where)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_installed_command_told_to_end_has_done_all_or_nothing_when_it_ends(
    machine: Machine, number: signal.Signals
) -> None:
    machine.keep()
    began, chance = machine.now, random.Random(SEED)
    started = time.monotonic()
    machine.installed().ok("rotate", "service")
    lasts = time.monotonic() - started
    for _ in range(8):
        machine.restore()
        machine.now = began
        old = machine.held("a/.env")
        delay = chance.uniform(0.3, 1.1) * lasts
        with machine.installed().start("rotate", "service") as process:
            time.sleep(delay)
            process.send_signal(number)
            _, err = process.communicate()
        where = f"{number.name} after {delay:.3f} s of {lasts:.3f} s, ended with {process.returncode}: {err.decode()}"
        assert process.returncode in {0, 130, -number}, where
        machine.now += A_LITTLE_LATER
        assert machine.leftovers() == NOTHING, where
        assert len({machine.held(name) for name in machine.files}) == 1, where
        if b"No version was created" in err:
            assert machine.held("a/.env") == old, where
        if process.returncode == 0:
            assert machine.held("a/.env") != old, where


# System calls that are the last, or that fail.


def walk(machine: Machine, fault: Fault, *arguments: object, step: int) -> Iterator[Done]:
    """The installed command with the fault at its first call, and at each `step`-th after it."""
    machine.keep()
    began = machine.now
    for number in count(1, step):
        machine.restore()
        machine.now = began
        done = replace(fault, number=number).befalls(machine.installed(), *arguments)
        if done is None:
            assert number > step, f"{fault.call} is never called"
            return
        yield done


@needs_strace
@pytest.mark.parametrize(("call", "step"), [("rename", 1), ("fsync", 5), ("unlink", 3), ("pwrite64", 11)])
def test_a_rotation_killed_at_a_system_call_gets_no_secret_refused(machine: Machine, call: str, step: int) -> None:
    for number, done in enumerate(walk(machine, Fault(call, "signal=KILL"), "rotate", "service", step=step)):
        assert done.code == -signal.SIGKILL
        assert_let_in(machine, f"killed at {call} {number}")
        assert_tidy_after_the_next_change(machine, f"killed at {call} {number}")


@needs_strace
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize(
    ("call", "error", "step"),
    [("rename", "EACCES", 1), ("rename", "EROFS", 1), ("fsync", "EIO", 5), ("pwrite64", "ENOSPC", 11)],
)
def test_a_rotation_whose_system_calls_fail_gets_no_secret_refused(
    machine: Machine, call: str, error: str, step: int, lasting: bool
) -> None:
    fault = Fault(call, f"error={error}", lasting=lasting)
    for number, done in enumerate(walk(machine, fault, "rotate", "service", step=step)):
        where = f"{error} of {call}, {number}th time, ended with {done.code}: {done.err}"
        assert "Traceback" not in done.err, where
        assert "Internal error" not in done.err, where
        assert_let_in(machine, where)
        if done.code == 0:
            assert len({machine.held(name) for name in machine.files}) == 1, where
        assert_tidy_after_the_next_change(machine, where)


def test_a_rotation_on_a_disk_that_fills_up_gets_no_secret_refused(machine: Machine) -> None:
    machine.keep()
    began = machine.now
    ended: set[int] = set()
    enough = 2 * max(path.stat().st_size for path in files_below(machine.root))
    for size in [0, 100, *range(512, enough, enough // 8), enough]:
        machine.restore()
        machine.now = began

        def limit(size: int = size) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        done = machine.installed().run("rotate", "service", before=limit)
        ended.add(done.code)
        where = f"no file larger than {size}, ended with {done.code}: {done.err}"
        assert "Internal error" not in done.err, where
        assert_let_in(machine, where)
        assert_tidy_after_the_next_change(machine, where)
    assert len(ended) > 1, "some sizes are enough, others are not"
    assert 0 in ended


# What others do meanwhile.


def removes(machine: Machine) -> None:
    machine.path("b/.env").unlink()


def edits(machine: Machine) -> None:
    path = machine.path("b/.env")
    path.write_bytes(path.read_bytes().replace(b"OTHER=1", b"OTHER=2"))


@pytest.mark.parametrize("does", [removes, edits])
@pytest.mark.parametrize("moment", ["before prepare", "before add_version", "before commit", "before end"])
def test_what_another_does_to_a_file_meanwhile_gets_no_secret_refused(
    machine: Machine, does: Callable[[Machine], None], moment: str
) -> None:
    with at_boundary(1, lambda: does(machine), named=moment):
        code = machine.rotate()
    assert machine.leftovers() == NOTHING, f"{code}: {machine.said}"
    there = [name for name in machine.files if machine.path(name).exists()]
    assert len({machine.held(name) for name in there}) == 1
    if does is edits:
        assert code == 0, machine.said
        assert b"OTHER=2\r\n" in machine.path("b/.env").read_bytes()


def locked_from(machine: Machine, moment: str, *, number: int = 1) -> Any:
    """The store is locked by somebody else from this moment of a rotation on, until it ends."""
    held: list[sqlite3.Connection] = []

    def lock() -> None:
        held.append(sqlite3.connect(machine.path("keys.db"), isolation_level=None))
        held[-1].execute("BEGIN EXCLUSIVE")

    return at_boundary(number, lock, named=moment)


def test_a_store_that_is_locked_at_registration_leaves_everything_as_it_was(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.1)
    files, key = [machine.path(name).read_bytes() for name in machine.files], machine.key()
    with locked_from(machine, "before add_version"):
        assert machine.rotate() == 7
    assert "No version was created" in machine.said
    assert ([machine.path(name).read_bytes() for name in machine.files], machine.key()) == (files, key)
    assert machine.leftovers() == NOTHING


def test_a_store_that_is_locked_at_the_end_has_let_the_new_version_in_and_ends_the_old_one_later(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.1)
    old = machine.held("a/.env")
    with locked_from(machine, "before end_version"):
        assert machine.rotate() == 7
    assert "Version 2 is delivered and valid" in machine.said
    assert machine.refused() == []
    assert old not in {machine.held(name) for name in machine.files}
    assert machine.recover() in {0, 9}
    assert machine.leftovers() == NOTHING
    assert machine.verdict(old) is VerdictStatus.ACTIVE
    machine.now += GRACE
    assert machine.verdict(old) is VerdictStatus.EXPIRED


def test_a_store_that_is_locked_for_a_moment_is_waited_for(machine: Machine) -> None:
    with closing(sqlite3.connect(machine.path("keys.db"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with machine.installed().start("rotate", "service") as process:
            time.sleep(0.5)
            other.execute("ROLLBACK")
            _, err = process.communicate()
    assert process.returncode == 0, err
    assert machine.leftovers() == NOTHING


@pytest.mark.parametrize(("moment", "number"), [("before end_version", 1), ("before prepare", 1), ("before commit", 2)])
def test_an_abort_that_finds_its_store_locked_gets_no_secret_refused(
    rotated: Machine, monkeypatch: pytest.MonkeyPatch, moment: str, number: int
) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.1)
    with locked_from(rotated, moment, number=number):
        assert rotated.abort() != 0
    assert_let_in(rotated, rotated.said)
    assert_tidy_after_the_next_change(rotated, rotated.said)


def test_every_moment_of_a_killed_rotation_leaves_no_secret_where_nobody_asked_for_it(machine: Machine) -> None:
    wanted = {machine.path(name) for name in machine.files}
    machine.keep()
    for number in range(1, 100):
        machine.restore()
        with at_boundary(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
            code = machine.rotate()
        secrets = {machine.held(name) for name in machine.files}
        machine.recover()
        holding = [path for path in files_below(machine.root) if any(s.encode() in path.read_bytes() for s in secrets)]
        assert set(holding) <= wanted, f"boundary {number}"
        if code == 0:
            return
    raise AssertionError("the rotation never comes to its end")


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
