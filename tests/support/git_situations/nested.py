"""Repositories of other kinds, in and beside each other, and damaged ones."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.git_situations.registry import FINE, REFUSE, situation
from tests.support.git_world import REAL_GIT, World


@situation(REFUSE, "not-ignored", mended=FINE)
def in_a_nested_repository_that_the_outer_ignores(world: World) -> Path:
    world.ignore("inner/", ".env")
    world.git("init", "-q", "inner")
    return world.repo / "inner" / ".env"


@situation(REFUSE, "tracked", mended=None)
def tracked_from_before_the_nested_repository(world: World) -> Path:
    world.commit("inner/.env")
    world.git("init", "-q", "inner")
    world.ignore(".env", at=world.repo / "inner")
    return world.repo / "inner" / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def in_a_submodule(world: World) -> Path:
    world.git("init", "-q", str(world.home / "origin"))
    world.commit("README", at=world.home / "origin")
    world.git("submodule", "--quiet", "add", str(world.home / "origin"), "sub")
    world.ignore(".env")
    return world.repo / "sub" / ".env"


@situation(FINE, mended=FINE)
def ignored_in_a_submodule(world: World) -> Path:
    file = in_a_submodule(world)
    world.ignore(".env", at=file.parent)
    return file


@situation(REFUSE, "git-cannot-say", mended=None)
def in_a_submodule_that_was_not_fetched(world: World) -> Path:
    file = in_a_submodule(world)
    world.git("commit", "-m", "x")
    world.git("submodule", "--quiet", "deinit", "-f", "sub")
    return file


@situation(FINE, mended=FINE)
def ignored_in_a_linked_work_tree(world: World) -> Path:
    world.ignore(".env")
    world.commit(".gitignore")
    world.ignore(".env")
    world.git("commit", "-am", "x")
    world.git("worktree", "add", "-q", str(world.home / "linked"))
    return world.home / "linked" / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def in_a_linked_work_tree(world: World) -> Path:
    world.commit("README")
    world.git("worktree", "add", "-q", str(world.home / "linked"))
    world.ignore(".env")
    return world.home / "linked" / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def in_a_bare_repository(world: World) -> Path:
    world.git("init", "-q", "--bare", str(world.home / "bare.git"))
    return world.home / "bare.git" / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def inside_of_dot_git(world: World) -> Path:
    return world.repo / ".git" / "info" / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def work_tree_configured_elsewhere(world: World) -> Path:
    world.ignore(".env")
    world.git("config", "core.worktree", str(world.home))
    (world.repo / ".env").unlink(missing_ok=True)
    world.git("config", "core.worktree", str(world.home / "elsewhere"))
    (world.home / "elsewhere").mkdir()
    return world.repo / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def damaged_repository(world: World) -> Path:
    world.ignore(".env")
    world.write(".git/HEAD", "")
    return world.repo / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def damaged_repository_in_a_sound_one(world: World) -> Path:
    world.ignore(".env")
    world.git("init", "-q", "inner")
    world.write("inner/.git/HEAD", "")
    return world.repo / "inner" / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def damaged_index(world: World) -> Path:
    world.ignore(".env")
    world.write(".git/index", "DIRC rubbish")
    return world.repo / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def dot_git_leads_nowhere(world: World) -> Path:
    world.ignore(".env", at=world.write("sub/.git", "gitdir: ../gone\n").parent)
    return world.repo / "sub" / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def owned_by_somebody_else(world: World) -> Path:
    world.ignore(".env")
    if os.geteuid() == 0:
        for place in (world.repo, *world.repo.rglob("*")):
            os.chown(place, 12345, 12345)
    else:  # what git's own tests use, since only root can give a directory away
        script = f'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec "{REAL_GIT}" "$@"'
        world.monkeypatch.setenv("PATH", str(world.executable(world.home / "bin" / "git", script).parent))
    return world.repo / ".env"
