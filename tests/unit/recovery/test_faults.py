"""A fault between any two steps: every file holds a secret that is let in, and the next change leaves nothing open."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from routic_cli.domain.keys import VerdictStatus
from tests.support.rotations import (
    BEFORE,
    GRACE,
    NOTHING,
    Machine,
    at_boundary,
    die,
)
from tests.support.stories import (
    FEWEST_BOUNDARIES,
    Work,
    abort,
    after_each_step,
    create,
    create_and_rotate,
    fail,
    rotate,
    rotate_without_grace,
    told_to_end,
)

STORIES: Final = [
    pytest.param(create, rotate, die, id="a rotation dies"),
    pytest.param(create, rotate, fail, id="a rotation meets an error"),
    pytest.param(create, rotate, told_to_end, id="a rotation is told to end"),
    pytest.param(create, rotate_without_grace, die, id="a rotation without grace dies"),
    pytest.param(create_and_rotate, abort, die, id="an abort dies"),
    pytest.param(create_and_rotate, abort, fail, id="an abort meets an error"),
    pytest.param(create_and_rotate, abort, told_to_end, id="an abort is told to end"),
]


@pytest.mark.parametrize(("prepare", "work", "fault"), STORIES)
def test_no_fault_between_two_steps_gets_a_secret_refused_or_leaves_anything(
    prepare: Work, work: Work, fault: Callable[[], object], root: Path
) -> None:
    for number, machine in enumerate(after_each_step(root, prepare, work, fault), 1):
        where = f"boundary {number}: {machine.said}"
        assert machine.refused() == [], f"before any recovery, {where}"

        machine.now += 60
        assert machine.recover() in {0, 9}
        assert machine.leftovers() == NOTHING, where
        assert len({machine.held(name) for name in machine.files}) == 1, f"neither all nor nothing, {where}"
        assert [v.number for v in machine.key().versions if v.expires_at is None] == [machine.key().current.number], (
            f"an old version has no end, {where}"
        )

        key, files = machine.key(), [machine.path(name).read_bytes() for name in machine.files]
        machine.now += 60
        machine.recover()
        assert (machine.key(), [machine.path(name).read_bytes() for name in machine.files]) == (key, files), where

        old = machine.held("a/.env")
        assert machine.rotate() == 0, where
        assert machine.leftovers() == NOTHING, where
        machine.now += GRACE - 1
        assert machine.verdict(old) is VerdictStatus.ACTIVE, where
        machine.now += 1
        assert machine.verdict(old) is VerdictStatus.EXPIRED, where
        assert machine.refused() == [], where


@pytest.mark.parametrize(("prepare", "work"), [(create, rotate), (create_and_rotate, abort)])
def test_a_recovery_that_is_cut_short_itself_is_taken_up_again(prepare: Work, work: Work, root: Path) -> None:
    chance = random.Random(1)
    for number, machine in enumerate(after_each_step(root, prepare, work, die), 1):
        again = chance.randrange(1, 9)
        with at_boundary(again, die):
            machine.recover()
        where = f"boundary {number}, then {again}: {machine.said}"
        assert machine.refused() == [], where
        machine.recover()
        assert machine.leftovers() == NOTHING, where


@pytest.mark.parametrize("fault", [die, fail, told_to_end])
def test_a_creation_that_fails_leaves_the_files_as_they_were_or_a_key_in_all_of_them(
    fault: Callable[[], object], root: Path
) -> None:
    for number, machine in enumerate(after_each_step(root, None, create, fault), 1):
        where = f"boundary {number}: {machine.said}"
        machine.recover()
        held = {machine.held(name) for name in machine.files}
        if held == {"old"}:
            assert {machine.path(name).read_bytes() for name in machine.files} == {BEFORE}, where
            assert machine.leftovers() == NOTHING | {"refused": list(machine.files)}, where
        else:
            assert len(held) == 1, where
            assert machine.leftovers() == NOTHING, where


def test_of_a_rotation_that_prints_no_version_lives_on_that_was_not_printed(root: Path) -> None:
    machine = Machine(root, files=())
    printed = machine.path("printed")
    root.mkdir()
    assert machine.run("keys", "create", "--name", "service") == 0
    machine.keep()
    for number in range(1, 100):
        machine.restore()
        with at_boundary(number, die):
            code = machine.rotate()
        machine.recover()
        assert machine.leftovers(*printed.read_text().split()) == NOTHING, f"boundary {number}"
        assert machine.verdict(printed.read_text().split()[0]) is VerdictStatus.ACTIVE
        if code == 0:
            return
    raise AssertionError("the rotation never comes to its end")


def test_recovery_remembers_what_it_placed_and_an_abort_takes_it_back(root: Path) -> None:
    finished = 0
    for number, machine in enumerate(after_each_step(root, create, rotate, die), 1):
        before = machine.held("a/.env")
        machine.recover()
        if len(machine.versions()) == 1:
            continue
        finished += 1
        old = machine.key().versions[0].sha256
        assert machine.abort() == 0, f"boundary {number}: {machine.said}"
        assert machine.leftovers() == NOTHING
        assert machine.key().current.sha256 == old
        assert before in {machine.held("b/.env"), machine.held("a/.env")} or number > FEWEST_BOUNDARIES
    assert finished > 1
