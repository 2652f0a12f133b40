"""A home directory with a git repository in it, for tests that ask the real git."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

REAL_GIT = shutil.which("git") or "git"


@dataclass(frozen=True)
class World:
    """A home directory with a repository in it, and a git that no setting of this machine reaches."""

    repo: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def home(self) -> Path:
        return self.repo.parent

    def git(self, *arguments: str, at: Path | None = None) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        command = [REAL_GIT, "-c", "protocol.file.allow=always", "-C", str(at or self.repo), *arguments]
        return subprocess.run(command, env=clean, check=True, capture_output=True, text=True).stdout

    def write(self, name: str, text: str = "A=1\n", at: Path | None = None) -> Path:
        file = (at or self.repo) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o600)
        return file

    def ignore(self, *rules: str, at: Path | None = None) -> None:
        self.write(".gitignore", "".join(f"{rule}\n" for rule in rules), at=at)

    def commit(self, *names: str, at: Path | None = None) -> None:
        for name in names:
            self.write(name, at=at)
        self.git("add", "-f", "--", *names, at=at)
        self.git("commit", "-m", "x", at=at)

    def commit_then_remove(self) -> None:
        self.commit(".env", "README")
        self.git("rm", "-q", ".env")
        self.git("commit", "-m", "x")
        self.ignore(".env")

    def executable(self, path: Path, script: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path


def snapshot(folder: Path) -> dict[Path, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path: path.read_bytes() for path in files}


def make_world(home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world in a new home directory, in which the test finds itself."""
    for name in [name for name in os.environ if name.startswith("GIT_") or name == "SUDO_UID"]:
        monkeypatch.delenv(name)
    home.mkdir()
    (home / "gitconfig").write_text("[user]\nname = t\nemail = t@example.org\n[init]\ndefaultBranch = main\n")
    for name, value in {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "GIT_CONFIG_GLOBAL": home / "gitconfig",
        "GIT_CONFIG_NOSYSTEM": "1",
    }.items():
        monkeypatch.setenv(name, str(value))
    repo = home / "repo"
    repo.mkdir()
    world = World(repo, monkeypatch)
    world.git("init", "-q")
    monkeypatch.chdir(repo)
    return world
