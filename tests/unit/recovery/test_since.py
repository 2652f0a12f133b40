"""What happens to the world between the crash and the recovery."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.rotations import (
    GRACE,
    KILLED,
    NOTHING,
    Machine,
    at_boundary,
    die,
)
from tests.support.stories import (
    Work,
    abort,
    after_each_step,
    create,
    create_and_rotate,
    fail,
    locked,
    rotate,
    rotate_without_grace,
)


def test_a_value_that_was_edited_by_hand_since_is_left(cut_short: Machine) -> None:
    cut_short.path("b/.env").write_text("ROUTIC_API_KEY=by-hand\n")
    cut_short.recover()
    assert cut_short.path("b/.env").read_text() == "ROUTIC_API_KEY=by-hand\n"
    assert cut_short.leftovers() == NOTHING | {"refused": ["b/.env"]}
    assert cut_short.held("a/.env") == cut_short.held("c/.env")


def test_other_lines_that_were_edited_by_hand_since_are_kept(cut_short: Machine) -> None:
    text = cut_short.path("b/.env").read_bytes().replace(b"OTHER=1", b"OTHER=2")
    cut_short.path("b/.env").write_bytes(text)
    cut_short.recover()
    assert cut_short.held("b/.env") == cut_short.held("a/.env")
    expected = text.replace(cut_short.held("b/.env").encode(), b"")
    now = cut_short.path("b/.env").read_bytes()
    assert b"OTHER=2\r\n" in now
    assert len(now.splitlines()) == len(expected.splitlines())
    assert cut_short.leftovers() == NOTHING


def test_a_file_that_was_removed_since_leaves_nothing_open(cut_short: Machine) -> None:
    cut_short.path("b/.env").unlink()
    cut_short.recover()
    assert cut_short.leftovers() == NOTHING


def test_a_folder_that_was_removed_since_leaves_nothing_open(cut_short: Machine) -> None:
    shutil.rmtree(cut_short.path("b"))
    cut_short.recover()
    cut_short.files = ("a/.env", "c/.env")
    assert cut_short.leftovers() == NOTHING
    assert cut_short.held("a/.env") == cut_short.held("c/.env")


def test_a_staged_file_that_was_lost_leaves_nothing_open_and_no_file_behind(cut_short: Machine) -> None:
    staged = cut_short.staged()
    assert len(staged) == 2
    for name in staged:
        cut_short.path(name).unlink()
    cut_short.recover()
    assert cut_short.leftovers() == NOTHING
    cut_short.now += GRACE
    assert cut_short.refused() == []


def test_a_version_that_was_registered_and_then_lost_is_given_up(root: Path) -> None:
    machine = Machine(root)
    assert machine.create() == 0
    old = machine.held("a/.env")
    with at_boundary(1, die, named="after add_version"):
        assert machine.rotate() == KILLED
    for name in machine.staged():
        machine.path(name).unlink()
    machine.recover()
    assert machine.leftovers() == NOTHING
    assert [machine.held(name) for name in machine.files] == [old] * 3
    assert list(machine.versions()) == [1]


@pytest.mark.parametrize("work", [rotate, abort])
def test_a_key_that_was_revoked_elsewhere_leaves_nothing_open(work: Work, root: Path) -> None:
    for number, machine in enumerate(after_each_step(root, create_and_rotate, work, die), 1):
        assert machine.elsewhere().run("keys", "revoke", "service", "--yes") == 0
        machine.recover()
        assert machine.leftovers() == NOTHING | {"refused": list(machine.files)}, f"boundary {number}: {machine.said}"


def test_a_rotation_on_another_machine_since_is_neither_ended_nor_overwritten(root: Path) -> None:
    for number, machine in enumerate(after_each_step(root, create, rotate, die), 1):
        elsewhere = machine.elsewhere()
        assert elsewhere.rotate("--force", names=["there/.env"]) == 0, elsewhere.said
        held_there = elsewhere.held("there/.env")
        machine.recover()
        where = f"boundary {number}: {machine.said}"
        assert elsewhere.refused() == [], f"our recovery ended the other machine's version, {where}"
        assert elsewhere.held("there/.env") == held_there
        assert machine.key().current.number == max(version.number for version in machine.key().versions)
        assert machine.open_operations() == 0, where
        assert machine.staged() == [], where


def test_recovery_of_a_rotation_without_grace_gives_none(root: Path) -> None:
    for number, machine in enumerate(after_each_step(root, create, rotate_without_grace, die), 1):
        machine.recover()
        assert list(machine.versions()) == [machine.key().current.number], f"boundary {number}"


def test_a_version_whose_registration_stays_unknown_is_given_up(root: Path) -> None:
    machine = Machine(root)
    assert machine.create() == 0
    with at_boundary(1, fail, named="after add_version"), at_boundary(2, locked, named="before add_version"):
        assert machine.rotate() == 7
    machine.recover()
    assert machine.leftovers() == NOTHING, machine.said
