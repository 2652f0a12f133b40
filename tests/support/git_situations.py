"""Odd places for a secret: how to get there, and what has to be said of each."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from routic_cli.delivery.verdict import Severity
from tests.support.git_world import REAL_GIT, World

FINE, WARN, REFUSE = Severity.FINE, Severity.WARN, Severity.REFUSE

Build = Callable[[World], Path]


@dataclass(frozen=True)
class Situation:
    """How to get there, what is said of it, and how bad it is once mended; None: mending is refused."""

    build: Build
    rules: set[str]
    severity: Severity
    mended: Severity | None


SITUATIONS: list[Situation] = []


def situation(severity: Severity, *rules: str, mended: Severity | None) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        SITUATIONS.append(Situation(build, set(rules), severity, mended))
        return build

    return add


# Ignored, or not


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


# In the index, or in the history


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


# Repositories of other kinds, in and beside each other


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


# The environment of the process


@situation(REFUSE, "git-cannot-say", mended=None)
def no_git_program(world: World) -> Path:
    world.ignore(".env")
    world.monkeypatch.setenv("PATH", str(world.home / "empty"))
    return world.repo / ".env"


@situation(FINE, mended=FINE)
def no_git_program_and_no_repository(world: World) -> Path:
    world.monkeypatch.setenv("PATH", str(world.home / "empty"))
    return world.home / ".env"


@situation(REFUSE, "git-cannot-say", mended=None)
def a_git_program_in_the_repository_itself(world: World) -> Path:
    script = f'case " $* " in *" check-ignore "*) exit 0;; esac; exec "{REAL_GIT}" "$@"'
    world.executable(world.repo / "git", script)
    world.monkeypatch.setenv("PATH", ".::./")
    return world.repo / ".env"


def _other_repository(world: World) -> Path:
    other = world.home / "other"
    world.git("init", "-q", str(other))
    world.ignore("*", at=other)
    return other


@situation(REFUSE, "not-ignored", mended=FINE)
def git_dir_variable_set(world: World) -> Path:
    world.monkeypatch.setenv("GIT_DIR", str(_other_repository(world) / ".git"))
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def git_work_tree_variable_set(world: World) -> Path:
    other = _other_repository(world)
    world.monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    world.monkeypatch.setenv("GIT_WORK_TREE", str(other))
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def git_index_file_variable_set(world: World) -> Path:
    world.ignore(".env")
    world.commit(".env")
    world.monkeypatch.setenv("GIT_INDEX_FILE", str(world.home / "empty-index"))
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def git_ceiling_directories_set(world: World) -> Path:
    world.monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(world.repo))
    return world.write("a/.env")


@situation(REFUSE, "not-ignored", mended=FINE)
def git_config_variables_set(world: World) -> Path:
    rules = world.write("mine", ".env\n", at=world.home)
    for name, value in {"COUNT": "1", "KEY_0": "core.excludesFile", "VALUE_0": str(rules)}.items():
        world.monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def git_pathspec_variables_set(world: World) -> Path:
    world.ignore(".env")
    world.commit(".env")
    world.monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    return world.repo / ".env"


# What is there already


@situation(FINE, mended=FINE)
def link_to_a_place_outside(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to(world.write("real", at=world.home))
    return world.repo / ".env"


@situation(FINE, mended=FINE)
def dangling_link(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to(world.home / "to-be-made")
    return world.repo / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def link_from_outside_to_a_file_that_is_not_ignored(world: World) -> Path:
    (world.home / ".env").symlink_to(world.write("real.txt"))
    return world.home / ".env"


@situation(REFUSE, "not-ignored", mended=FINE)
def link_that_is_not_ignored(world: World) -> Path:
    (world.repo / ".env").symlink_to(world.write("real", at=world.home))
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def link_to_a_tracked_file(world: World) -> Path:
    world.ignore(".env")
    world.commit("settings")
    (world.repo / ".env").symlink_to("settings")
    return world.repo / ".env"


@situation(REFUSE, "tracked", mended=None)
def through_a_linked_directory(world: World) -> Path:
    world.commit("a/.env")
    (world.home / "alias").symlink_to(world.repo / "a")
    return world.home / "alias" / ".env"


@situation(REFUSE, "not-regular", mended=None)
def links_in_a_circle(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to("other")
    (world.repo / "other").symlink_to(".env")
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def named_pipe(world: World) -> Path:
    world.ignore(".env")
    os.mkfifo(world.repo / ".env", 0o600)
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def link_to_a_device(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").symlink_to("/dev/null")
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def a_socket(world: World) -> Path:
    world.ignore(".env")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(".env")  # relative: the name of a socket is short
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def a_directory(world: World) -> Path:
    world.ignore(".env")
    (world.repo / ".env").mkdir()
    return world.repo / ".env"


@situation(REFUSE, "not-regular", mended=None)
def below_a_file(world: World) -> Path:
    return world.write("file") / ".env"


@situation(REFUSE, "not-regular", mended=None)
def name_with_a_nul(world: World) -> Path:
    return world.repo / ".e\0nv"


@situation(WARN, "wide-mode", mended=FINE)
def others_may_read(world: World) -> Path:
    world.ignore(".env")
    world.write(".env").chmod(0o644)
    return world.repo / ".env"
