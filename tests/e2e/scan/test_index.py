"""`routic scan --staged` judges what the commit would contain, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.sandbox import ROUTIC
from tests.support.scanned import Planted

ROOT = Path(__file__).resolve().parents[3]


def stage(planted: Planted, name: str, content: str) -> None:
    planted.write(name, content)
    planted.sandbox.git("add", "--force", "--", name)


def test_what_is_staged_is_found_though_the_file_is_clean_again(planted: Planted) -> None:
    stage(planted, "a.py", f"K = '{planted.prod}'\n")
    planted.write("a.py", "K = None\n")
    assert planted.found("--staged") == [("a.py", 1, None, "active")]
    (planted.top / "a.py").unlink()
    assert planted.found("--staged") == [("a.py", 1, None, "active")]


def test_what_is_not_staged_is_none_of_its_business(planted: Planted) -> None:
    planted.commit("old.py", f"K = '{planted.old}'\n")
    stage(planted, "a.py", "clean\n")
    planted.write("a.py", planted.prod)
    planted.write("untracked", planted.prod)
    planted.write(".env", planted.prod)
    assert planted.found("--staged", code=0) == []


def test_a_key_that_the_last_commit_had_is_not_told_when_the_file_is_removed(planted: Planted) -> None:
    planted.commit("a.py", planted.prod)
    planted.sandbox.git("rm", "--quiet", "a.py")
    assert planted.found("--staged", code=0) == []


def test_the_first_commit_of_all_is_judged_too(planted: Planted) -> None:
    shutil.rmtree(planted.top / ".git")
    planted.sandbox.git("init", "--quiet")
    stage(planted, "a\nb", planted.prod)
    assert planted.found("--staged") == [("a\nb", 1, None, "active")]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("folder", ["", "deep"])
def test_the_remedy_takes_the_file_out_of_the_commit(planted: Planted, folder: str, first: bool) -> None:
    if first:
        shutil.rmtree(planted.top / ".git")
        planted.sandbox.git("init", "--quiet")
    planted.write("deep/other", "x\n")
    stage(planted, "my [file]", planted.prod)
    script = f"cd ./{folder}; routic scan --staged 2>&1 | sed -n 's/^  Try: //p'"
    remedy = planted.sandbox.shell(script).out.strip()
    assert remedy.startswith("git reset")
    assert planted.sandbox.shell(f"cd ./{folder}; {remedy}").code == 0
    assert planted.found("--staged", code=0) == []
    assert (planted.top / "my [file]").exists()


def test_in_a_linked_work_tree_its_own_index_counts(planted: Planted) -> None:
    planted.sandbox.git("worktree", "add", "--quiet", "../linked")
    linked = planted.sandbox.root / "linked"
    (linked / "x").write_text(planted.prod)
    planted.sandbox.git("-C", str(linked), "add", "x")
    assert planted.found("--staged", code=0) == []
    assert planted.found("--staged", "../linked") == [("../linked/x", 1, None, "active")]


def test_outside_of_a_repository_it_is_an_error(planted: Planted) -> None:
    done = planted.scan("--staged", planted.sandbox.home, code=1)
    assert "There is no git repository around" in done.err


def hook(planted: Planted, script: str = "exec routic scan --staged") -> None:
    file = planted.write(".git/hooks/pre-commit", f"#!/bin/sh\nPATH={ROUTIC.parent}:$PATH\n{script}\n")
    file.chmod(0o755)


def commit(planted: Planted, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "--message=x", *arguments]
    path = f"{Path(sys.executable).parent}:{planted.sandbox.environ['PATH']}"
    environ = planted.sandbox.environ | {"PATH": path}
    return subprocess.run(command, cwd=planted.top, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("--all",), ("--", "a.py"), ("--include", "a.py")])
def test_as_a_hook_it_stops_each_kind_of_commit(planted: Planted, arguments: tuple[str, ...]) -> None:
    planted.commit("a.py", "clean\n")
    hook(planted)
    planted.write("a.py", planted.prod)
    if not arguments:
        planted.sandbox.git("add", "a.py")
    done = commit(planted, *arguments)
    assert done.returncode == 1
    assert "a.py:1" in done.stdout + done.stderr
    assert planted.prod not in done.stdout + done.stderr
    planted.write("a.py", "clean again\n")
    if not arguments:
        planted.sandbox.git("add", "a.py")
    assert commit(planted, *arguments).returncode == 0


def test_a_commit_of_one_file_is_not_stopped_by_what_is_staged_beside_it(planted: Planted) -> None:
    planted.commit("a.py", "clean\n")
    hook(planted)
    stage(planted, "b.py", planted.prod)
    planted.write("a.py", "changed\n")
    assert commit(planted, "--", "a.py").returncode == 0
    assert commit(planted).returncode == 1


def test_pre_commit_runs_the_hook_that_is_offered(planted: Planted) -> None:
    """The real pre-commit, from a clone of this project, without a network."""
    offered = planted.sandbox.root / "offered"
    offered.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", offered)
    planted.sandbox.git("init", "--quiet", str(offered))
    planted.sandbox.git("-C", str(offered), "add", ".")
    planted.sandbox.git("-C", str(offered), "commit", "--quiet", "--message=x")
    rev = planted.sandbox.git("-C", str(offered), "rev-parse", "HEAD").strip()
    repos = [{"repo": str(offered), "rev": rev, "hooks": [{"id": "routic-scan-system"}]}]
    planted.commit(".pre-commit-config.yaml", yaml.safe_dump({"repos": repos}))
    planted.sandbox.shell("pre-commit install")
    stage(planted, "a.py", f"K = '{planted.prod}'\n")
    planted.write("a.py", "clean\n")
    stopped = commit(planted)
    assert stopped.returncode == 1
    assert "exit code: 9" in stopped.stderr
    assert "a.py:1" in stopped.stderr
    assert planted.prod not in stopped.stdout + stopped.stderr
    stage(planted, "a.py", "clean\n")
    assert commit(planted).returncode == 0
