"""A fault between any two steps: every file holds a secret that is let in, and the next change leaves nothing open."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

import pytest

from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.domain.errors import OutcomeUnknownError, StoreLockedError
from routic_cli.domain.keys import VerdictStatus
from routic_cli.domain.secret import Secret
from tests.support.rotations import (
    BEFORE,
    GRACE,
    KILLED,
    NOTHING,
    Machine,
    at_boundary,
    die,
    end_of_child,
    folder_in_memory,
    start_child,
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


STORIES: Final = [
    pytest.param(create, rotate, die, id="a rotation dies"),
    pytest.param(create, rotate, fail, id="a rotation meets an error"),
    pytest.param(create, rotate, told_to_end, id="a rotation is told to end"),
    pytest.param(create, rotate_without_grace, die, id="a rotation without grace dies"),
    pytest.param(create_and_rotate, abort, die, id="an abort dies"),
    pytest.param(create_and_rotate, abort, fail, id="an abort meets an error"),
    pytest.param(create_and_rotate, abort, told_to_end, id="an abort is told to end"),
]


@pytest.fixture
def root() -> Iterator[Path]:
    with folder_in_memory() as folder:
        yield folder / "machine"


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


# What happens to the world between the crash and the recovery.


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


# Two at once.


def interleaved(root: Path, files: tuple[str, ...], ours: Work, other: Work) -> Iterator[tuple[Machine, int, int]]:
    """A command in whose midst, at each boundary of its steps, another process runs from beginning to end.

    Gives the machine as the two left it, and the exit codes of ours and of the other.
    """
    machine = Machine(root, files=files)
    assert machine.create(*files[:1]) == 0 if files else machine.run("keys", "create", "--name", "service") == 0
    machine.keep()
    end = root.with_suffix(".other")
    for number in range(1, 100):
        machine.restore()
        end.unlink(missing_ok=True)

        def meanwhile() -> None:
            # In a process of its own: only that is another one for the locks.
            child = start_child(lambda: other(machine))
            end.write_text(str(end_of_child(child)))

        with at_boundary(number, meanwhile):
            code = ours(machine)
        if not end.exists():
            assert number > FEWEST_BOUNDARIES
            return
        yield machine, code, int(end.read_text())


def test_another_rotation_at_any_moment_of_ours_ends_nobodys_delivered_version(root: Path) -> None:
    def other(machine: Machine) -> int:
        return machine.rotate("--force", names=["b/.env"])

    def ours(machine: Machine) -> int:
        return machine.rotate("--force", names=["a/.env"])

    for number, (machine, our_code, other_code) in enumerate(interleaved(root, ("a/.env", "b/.env"), ours, other), 1):
        where = f"boundary {number}, ours ended with {our_code}, the other with {other_code}: {machine.said}"
        assert 0 in {our_code, other_code}, where
        delivered = [name for name, code in (("a/.env", our_code), ("b/.env", other_code)) if code == 0]
        assert machine.refused(delivered) == [], where
        assert (machine.open_operations(), machine.staged()) == (0, []), where


def test_two_rotations_that_print_end_nobodys_printed_version(root: Path) -> None:
    first, second = root / "first", root / "second"

    def ours(machine: Machine) -> int:
        return machine.rotate(out=first)

    def other(machine: Machine) -> int:
        return machine.rotate(out=second)

    root.mkdir()
    for number, (machine, our_code, other_code) in enumerate(interleaved(root, (), ours, other), 1):
        where = f"boundary {number}, ours ended with {our_code}, the other with {other_code}: {machine.said}"
        assert 0 in {our_code, other_code}, where
        printed = [path.read_text().strip() for path, code in ((first, our_code), (second, other_code)) if code == 0]
        assert [machine.verdict(each) for each in printed] == [VerdictStatus.ACTIVE] * len(printed), where


def test_when_another_rotates_in_our_midst_and_we_die_our_file_is_let_in(root: Path) -> None:
    machine = Machine(root, files=("a/.env", "b/.env"))
    assert machine.create("a/.env") == 0
    machine.keep()
    for number in range(1, 100):
        machine.restore()

        def meanwhile_then_die() -> NoReturn:
            end_of_child(start_child(lambda: machine.rotate(names=["b/.env"])))
            die()

        with at_boundary(number, meanwhile_then_die):
            code = machine.rotate()
        if code == 0:
            assert number > FEWEST_BOUNDARIES
            return
        assert machine.refused(["a/.env"]) == [], f"boundary {number}, before recovery: {machine.said}"
        machine.recover()
        assert machine.refused(["a/.env"]) == [], f"boundary {number}, after recovery: {machine.said}"


def test_a_loser_that_dies_takes_nothing_from_a_winner_that_dies(root: Path) -> None:
    machine = Machine(root)
    assert machine.create() == 0

    def winner() -> int:
        # It has begun and staged nothing yet; the loser begins, and dies; it dies itself after its first commit.
        prepare, waiting = EnvFileSink.prepare, [machine]

        def prepare_after_the_loser(sink: EnvFileSink, secret: Secret) -> None:
            if waiting:
                with at_boundary(1, die, named="after begin"):
                    assert waiting.pop().rotate() == KILLED
            prepare(sink, secret)

        EnvFileSink.prepare = prepare_after_the_loser  # type: ignore[assignment,method-assign]  # in this process alone
        with at_boundary(1, die, named="after commit"):
            return machine.rotate()

    # The fault of the loser must not befall the winner: each is a process of its own.
    assert end_of_child(start_child(winner)) == KILLED
    assert machine.open_operations() == 2
    assert machine.refused() == []
    machine.recover()
    assert machine.leftovers() == NOTHING
    assert len({machine.held(name) for name in machine.files}) == 1


def test_processes_that_rotate_one_key_at_once_leave_all_files_alike_and_let_in(root: Path) -> None:
    machine = Machine(root)
    assert machine.create() == 0
    for _ in range(6):
        codes = [end_of_child(child) for child in [machine.start("rotate", "service") for _ in range(3)]]
        assert 0 in codes, machine.said
        assert machine.leftovers() == NOTHING
        assert len({machine.held(name) for name in machine.files}) == 1


def test_changes_at_once_after_a_crash_tidy_up_once(cut_short: Machine) -> None:
    children = [cut_short.start("doctor", "--fix") for _ in range(4)]
    assert {end_of_child(child) for child in children} <= {0, 9}
    assert cut_short.leftovers() == NOTHING
    assert len(cut_short.key().versions) == 2
    assert cut_short.said.count("Tidied up") == 1
