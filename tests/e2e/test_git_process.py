"""Git is asked safely: it finds the right repository, runs nothing that one names, and is not waited for."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from routic_cli.delivery import git as git_room
from routic_cli.delivery.git import git_directory, is_ignored
from routic_cli.delivery.git_process import GitCannotSayError, GitTrouble, ask_git, environment
from routic_cli.delivery.ignore_fix import fix
from routic_cli.delivery.safety import judge
from routic_cli.domain.errors import RouticError
from tests.support.git_situations.environment import no_git_program
from tests.support.git_situations.nested import (
    damaged_repository_in_a_sound_one,
    dot_git_leads_nowhere,
    in_a_bare_repository,
    in_a_submodule,
    owned_by_somebody_else,
)
from tests.support.git_situations.registry import WARN, Build
from tests.support.git_world import REAL_GIT, World


def test_nothing_that_a_repository_configures_is_run(world: World) -> None:
    marker = world.home / "was-run"
    evil = world.executable(world.home / "evil", f'touch "{marker}"; exit 1')
    world.commit_then_remove()
    for setting in (
        "core.fsmonitor", "core.pager", "pager.rev-list", "gpg.program", "diff.external", "core.sshCommand",
        "diff.x.textconv", "filter.x.clean", "filter.x.smudge", "core.askPass", "core.editor", "credential.helper",
    ):  # fmt: skip
        world.git("config", setting, str(evil))
    for command in ("rev-parse", "ls-files", "check-ignore", "rev-list", "log"):
        world.git("config", f"alias.{command}", f"!{evil}")
    world.git("config", "core.hooksPath", str(world.home / "hooks"))
    world.git("config", "log.showSignature", "true")
    pretend_to_be_signed(world)
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(evil, world.executable(world.home / "hooks" / hook, ""))
    world.write(".gitattributes", "* diff=x filter=x\n")
    marker.unlink(missing_ok=True)

    for name in (".env", "README", "other"):
        judge(world.repo / name, None)
    fix(world.repo / "other")
    git_directory(world.repo)
    assert not marker.exists()

    for reading in (["status"], ["log", "--all"]):
        subprocess.run([REAL_GIT, *reading], cwd=world.repo, capture_output=True, check=False)
        assert marker.exists(), "the trap does not work"
        marker.unlink()


def pretend_to_be_signed(world: World) -> None:
    """Give every commit a signature header: it is verified by a program that the repository may name."""
    for commit in world.git("rev-list", "--all").split():
        header, _, message = world.git("cat-file", "commit", commit).partition("\n\n")
        signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
        file = world.write("signed", f"{header}\n{signature}\n\n{message}", at=world.home)
        signed = world.git("hash-object", "-t", "commit", "-w", str(file)).strip()
        world.git("update-ref", f"refs/heads/{signed}", signed)


def test_a_partial_clone_is_not_completed_by_the_command_it_names(world: World) -> None:
    marker = world.home / "was-run"
    evil = world.executable(world.home / "evil", f'touch "{marker}"; exit 1')
    world.commit("README")
    world.ignore(".env")
    tree = world.git("rev-parse", "HEAD^{tree}").strip()
    (world.repo / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    for setting, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": str(world.home / "origin"),
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(evil),
    }.items():
        world.git("config", setting, value)

    verdict = judge(world.repo / ".env", None)
    assert not marker.exists()
    assert verdict.severity >= WARN

    subprocess.run([REAL_GIT, "rev-list", "--all", "--", ".env"], cwd=world.repo, capture_output=True, check=False)
    assert marker.exists(), "the trap does not work"


def test_every_variable_that_is_local_to_a_repository_is_withheld(world: World) -> None:
    local = world.git("rev-parse", "--local-env-vars").split()
    assert "GIT_DIR" in local
    for name in (*local, "GIT_CEILING_DIRECTORIES", "GIT_TRACE", "GIT_EXTERNAL_DIFF"):
        world.monkeypatch.setenv(name, "1")
        withheld = name not in environment() or name == "GIT_NO_REPLACE_OBJECTS"
        assert withheld, name
    assert environment()["GIT_CONFIG_GLOBAL"] == str(world.home / "gitconfig")


def test_without_a_repository_git_is_not_even_started(world: World) -> None:
    marker = world.home / "was-run"
    world.monkeypatch.setenv("PATH", str(world.executable(world.home / "bin" / "git", f'touch "{marker}"').parent))
    judge(world.home / ".env", None)
    fix(world.home / ".env")
    assert git_directory(world.home) is None
    assert not is_ignored(world.home / ".env")
    assert not marker.exists()


def test_the_git_directory_is_the_work_trees_own(world: World) -> None:
    submodule = in_a_submodule(world).parent
    world.commit("README")
    world.git("worktree", "add", "-q", str(world.home / "linked"))
    (world.repo / "deep" / "er").mkdir(parents=True)
    assert git_directory(world.repo / "deep" / "er") == world.repo / ".git"
    assert git_directory(submodule) == world.repo / ".git" / "modules" / "sub"
    assert git_directory(world.home / "linked") == world.repo / ".git" / "worktrees" / "linked"
    assert git_directory(world.repo / ".git") is None


def test_a_git_that_hangs_is_not_waited_for(world: World) -> None:
    world.ignore(".env")
    script = f'case " $* " in *" rev-list "*) exec sleep 60;; esac; exec "{REAL_GIT}" "$@"'
    path = f"{world.executable(world.home / 'bin' / 'git', script).parent}{os.pathsep}{os.environ['PATH']}"
    world.monkeypatch.setenv("PATH", path)
    world.monkeypatch.setattr(git_room, "_HISTORY_SECONDS", 0.2)
    verdict = judge(world.repo / ".env", None)
    assert [finding.rule for finding in verdict.findings] == ["history-unknown"]
    assert verdict.severity is WARN
    with pytest.raises(GitCannotSayError) as caught:
        ask_git(world.repo, "rev-list", "--all", seconds=0.2)
    assert caught.value.trouble is GitTrouble.TIMEOUT


@pytest.mark.parametrize(
    ("build", "trouble", "remedy"),
    [
        (no_git_program, GitTrouble.NO_BINARY, "install git"),
        (owned_by_somebody_else, GitTrouble.DUBIOUS_OWNER, "git config --global --add safe.directory"),
        (in_a_bare_repository, GitTrouble.NO_WORK_TREE, ""),
        (dot_git_leads_nowhere, GitTrouble.DAMAGED, ""),
        (damaged_repository_in_a_sound_one, GitTrouble.DAMAGED, "git -C"),
    ],
)
def test_why_git_cannot_say_is_told_with_its_remedy(
    world: World, build: Build, trouble: GitTrouble, remedy: str
) -> None:
    file = build(world)
    with pytest.raises(GitCannotSayError) as caught:
        is_ignored(file)
    assert caught.value.trouble is trouble
    assert caught.value.remedy.startswith(remedy)
    assert isinstance(caught.value, RouticError)
    assert caught.value.exit_code == 6
