"""Files that are in the index, or were in the history."""

from __future__ import annotations

from pathlib import Path

from tests.support.git_situations.registry import REFUSE, WARN, situation
from tests.support.git_world import World


@situation(REFUSE, "tracked", mended=None)
def tracked(world: World) -> Path:
    world.ignore(".env")
    world.commit(".env")
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def tracked_and_deleted_from_disk(world: World) -> Path:
    world.commit(".env")
    (world.repo / ".env").unlink()
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def tracked_in_another_case(world: World) -> Path:
    world.ignore(".env")
    world.commit(".ENV")
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def tracked_in_a_directory_of_another_case(world: World) -> Path:
    world.ignore(".env")
    world.commit("Sub/.env")
    return world.write("sub/.env")


@situation(REFUSE, "tracked", mended=None)
def staged(world: World) -> Path:
    world.ignore(".env")
    world.write(".env")
    world.git("add", "-f", ".env")
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def intended_to_be_added(world: World) -> Path:
    world.write(".env")
    world.git("add", "-N", ".env")
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def assumed_unchanged(world: World) -> Path:
    world.ignore(".env")
    world.commit(".env")
    world.git("update-index", "--assume-unchanged", ".env")
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def left_out_of_a_sparse_checkout(world: World) -> Path:
    world.ignore(".env")
    world.commit("a/.env", "b/x")
    world.git("sparse-checkout", "set", "--sparse-index", "b")
    return world.repo / "a" / ".env"


@situation(REFUSE, "staged-deletion", "once-committed", mended=REFUSE)
def removal_staged_but_not_committed(world: World) -> Path:
    world.commit(".env")
    world.git("rm", "-q", "--cached", ".env")
    world.ignore(".env")
    return world.repo / ".env"


@situation(WARN, "once-committed", mended=WARN)
def once_committed(world: World) -> Path:
    world.commit_then_remove()
    return world.repo / ".env"


@situation(REFUSE, "once-committed", "not-ignored", mended=WARN)
def once_committed_and_not_ignored(world: World) -> Path:
    world.commit_then_remove()
    world.ignore()
    return world.repo / ".env"


@situation(WARN, "once-committed", mended=WARN)
def committed_on_another_branch(world: World) -> Path:
    world.ignore(".env")
    world.commit("README")
    world.git("checkout", "-q", "-b", "other")
    world.commit(".env")
    world.git("checkout", "-q", "main")
    return world.repo / ".env"


@situation(WARN, "once-committed", mended=WARN)
def only_in_a_stash(world: World) -> Path:
    world.commit("README")
    world.write(".env")
    world.git("stash", "-q", "-u")
    world.ignore(".env")
    return world.repo / ".env"


@situation(WARN, "once-committed", mended=WARN)
def only_in_the_reflog(world: World) -> Path:
    world.commit("README")
    world.commit(".env")
    world.git("reset", "-q", "--hard", "HEAD~")
    world.ignore(".env")
    return world.repo / ".env"
