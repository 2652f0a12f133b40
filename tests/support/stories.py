"""What one does with a machine, cut short after each of its steps."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

from routic_cli.domain.errors import OutcomeUnknownError, StoreLockedError
from tests.support.rotations import (
    KILLED,
    Machine,
    at_boundary,
)

Work = Callable[[Machine], int]


FEWEST_BOUNDARIES: Final = 10


DIED_OR_FAILED: Final = {KILLED, 7, 130, -signal.SIGTERM}


def fail() -> NoReturn:
    raise OutcomeUnknownError("The answer was lost")


def locked() -> NoReturn:
    raise StoreLockedError("The store is locked")


def told_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def create(machine: Machine) -> int:
    return machine.create()


def create_and_rotate(machine: Machine) -> int:
    code = machine.create() or machine.rotate()
    machine.now += 60
    return code


def rotate(machine: Machine) -> int:
    return machine.rotate()


def rotate_without_grace(machine: Machine) -> int:
    return machine.rotate("--now")


def abort(machine: Machine) -> int:
    return machine.abort()


def after_each_step(root: Path, prepare: Work | None, work: Work, fault: Callable[[], object]) -> Iterator[Machine]:
    """A machine on which the fault has befallen the work at the first boundary of a step, the second, and so on."""
    machine = Machine(root)
    assert prepare is None or prepare(machine) == 0
    machine.keep()
    began, reached = machine.now, root.with_suffix(".reached")

    def told() -> None:
        reached.touch()
        fault()

    for number in range(1, 100):
        machine.restore()
        machine.now = began
        reached.unlink(missing_ok=True)
        with at_boundary(number, told):
            code = work(machine)
        if not reached.exists():
            assert number > FEWEST_BOUNDARIES, "are the steps of the work still those that are wrapped?"
            return
        # An answer that was lost is asked for again, and who is told to end after the delivery ends with success.
        assert code in DIED_OR_FAILED | {0}, f"boundary {number}: {machine.said}"
        yield machine
    raise AssertionError("the work never comes to its end")
