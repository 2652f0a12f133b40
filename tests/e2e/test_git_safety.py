"""Odd places for a secret, judged and mended with a real git; the situations say what has to come out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routic_cli.delivery.ignore_fix import fix
from routic_cli.delivery.safety import judge
from routic_cli.domain.errors import UnsafeDestinationError
from tests.support.git_situations import SITUATIONS
from tests.support.git_situations.environment import no_git_program_and_no_repository
from tests.support.git_situations.ignored import no_repository
from tests.support.git_situations.present import dangling_link, link_that_is_not_ignored, link_to_a_place_outside
from tests.support.git_situations.registry import FINE, REFUSE, Situation
from tests.support.git_world import World, snapshot

every_situation = pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.build.__name__)


def would_be_published(world: World, file: Path) -> bool:
    """Whether `git add -A`, by the user's own git, takes the file along. Only for a file in a sound work tree."""
    place = Path(os.path.realpath(file))
    top = world.git("rev-parse", "--show-toplevel", at=place.parent).strip()
    world.git("add", "-A", at=Path(top))
    return os.path.relpath(place, top) in world.git("ls-files", "-z", at=Path(top)).split("\0")


@every_situation
def test_every_situation_is_judged_as_stated(world: World, case: Situation) -> None:
    verdict = judge(case.build(world), "ROUTIC_API_KEY")
    assert {finding.rule for finding in verdict.findings if finding.severity > FINE} == case.rules
    assert verdict.severity is case.severity


@every_situation
def test_mending_succeeds_or_says_why_not_and_changes_nothing(world: World, case: Situation) -> None:
    file = case.build(world)
    if case.mended is not None:
        fix(file)
        assert judge(file, None).severity is case.mended
        assert fix(file) == []
        return
    before = snapshot(world.home)
    with pytest.raises(UnsafeDestinationError) as refusal:
        fix(file)
    assert refusal.value.what
    assert snapshot(world.home) == before


NO_WORK_TREE = {
    no_repository, no_git_program_and_no_repository, dangling_link, link_to_a_place_outside, link_that_is_not_ignored
}  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [case for case in SITUATIONS if case.mended is not None and case.build not in NO_WORK_TREE],
    ids=lambda case: case.build.__name__,
)
def test_after_mending_the_users_own_git_leaves_the_file_alone(world: World, case: Situation) -> None:
    file = case.build(world)
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text("A=1\n")
        file.chmod(0o600)
    if "not-ignored" in case.rules:
        assert would_be_published(world, file), "else the refusal were a false alarm"
        top = Path(world.git("rev-parse", "--show-toplevel", at=Path(os.path.realpath(file)).parent).strip())
        world.git("rm", "-r", "-q", "--cached", ".", at=top)
    fix(file)
    assert not would_be_published(world, file)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="a link whose name leads elsewhere exists on Linux only")
def test_a_link_to_an_open_file_without_a_name_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "gone").open("w") as file:
        (tmp_path / "gone").unlink()
        (finding,) = judge(Path(f"/proc/self/fd/{file.fileno()}"), None).findings
    assert (finding.rule, finding.severity) == ("not-regular", REFUSE)
