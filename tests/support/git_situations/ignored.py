"""Files that are ignored, or are not, by rules of every kind."""

from __future__ import annotations

from pathlib import Path

from tests.support.git_situations.registry import FINE, REFUSE, WARN, situation
from tests.support.git_world import World


@situation(FINE, mended=FINE)
def no_repository(world: World) -> Path:
    return world.home / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def fresh_repository(world: World) -> Path:
    return world.repo / ".env"


@situation(FINE, mended=FINE)
def ignored_before_the_first_commit(world: World) -> Path:
    world.ignore(".env")
    return world.repo / ".env"


@situation(FINE, mended=FINE)
def ignored_by_the_parent(world: World) -> Path:
    world.ignore(".env")
    return world.write("a/b/.env")


@situation(FINE, mended=FINE)
def ignored_with_its_directory(world: World) -> Path:
    world.ignore("secrets/")
    return world.write("secrets/deep/.env")


@situation(FINE, mended=FINE)
def ignored_in_a_directory_yet_to_be_made(world: World) -> Path:
    world.ignore(".env")
    return world.repo / "not" / "yet" / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def in_a_directory_yet_to_be_made(world: World) -> Path:
    return world.repo / "not" / "yet [1]" / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def negated_later(world: World) -> Path:
    world.ignore(".env*", "!.env")
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def negated_further_down(world: World) -> Path:
    world.ignore(".env")
    world.ignore("!.env", at=world.write("a/x").parent)
    return world.repo / "a" / ".env"


@situation(WARN, "personal-ignore", mended=FINE)
def ignored_by_info_exclude(world: World) -> Path:
    world.write(".git/info/exclude", ".env\n")
    return world.repo / ".env"


@situation(WARN, "personal-ignore", mended=FINE)
def ignored_by_core_excludesfile(world: World) -> Path:
    world.git("config", "--global", "core.excludesFile", str(world.write("mine", ".env\n", at=world.home)))
    return world.repo / ".env"


@situation(WARN, "personal-ignore", mended=WARN)
def directory_ignored_by_info_exclude(world: World) -> Path:
    world.write(".git/info/exclude", "mine/\n")
    return world.write("mine/.env")


@situation(FINE, mended=FINE)
def rule_in_another_case_where_case_is_ignored(world: World) -> Path:
    world.git("config", "core.ignorecase", "true")
    world.ignore(".ENV")
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def rule_in_another_case(world: World) -> Path:
    world.git("config", "core.ignorecase", "false")
    world.ignore(".ENV")
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=None)
def rules_behind_a_symbolic_link(world: World) -> Path:
    world.repo.joinpath(".gitignore").symlink_to(world.write("rules", ".env\n", at=world.home))
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=None)
def rules_are_a_directory(world: World) -> Path:
    (world.repo / ".gitignore").mkdir()
    return world.repo / ".env"
