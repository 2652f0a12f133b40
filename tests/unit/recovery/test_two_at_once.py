"""Two rotations of one key at once, with and without a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.domain.keys import VerdictStatus
from routic_cli.domain.secret import Secret
from tests.support.rotations import (
    KILLED,
    NOTHING,
    Machine,
    at_boundary,
    die,
    end_of_child,
    start_child,
)
from tests.support.stories import (
    FEWEST_BOUNDARIES,
    Work,
)

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
