"""A folder in memory, and a machine whose rotation was cut short."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rotations import (
    KILLED,
    Machine,
    at_boundary,
    die,
    folder_in_memory,
)


@pytest.fixture
def root() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder / "machine"


@pytest.fixture
def cut_short(root: Path) -> Machine:
    """A machine on which a rotation of three files died when the first of them had its new secret."""
    machine = Machine(root)
    assert machine.create() == 0
    machine.now += 60
    with at_boundary(1, die, named="after commit"):
        assert machine.rotate() == KILLED
    assert machine.refused() == []
    assert len({machine.held(name) for name in machine.files}) == 2
    return machine
