"""A home with two keys in files, and the shells that read what `export` says."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.sandbox import SECRET, Sandbox

SHELLS: Final = (("bash", "-c"), ("sh", "-c"), ("zsh", "-f", "-c"))


FISH: Final = ("fish", "--no-config", "-c")


NOT_OURS: Final = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdef12"


@dataclass(frozen=True, slots=True)
class Home:
    """A repository with `prod` in `.env` and `worker` as WORKER_KEY in `.env.worker`; nobody may change it."""

    sandbox: Sandbox
    prod: str
    worker: str


def secret_in(path: Path) -> str:
    (secret,) = SECRET.findall(path.read_text())
    return str(secret)


def installed(shell: tuple[str, ...]) -> tuple[str, ...]:
    """The shell, which is no dependency of this project: without it there is nobody to ask, save in CI."""
    if shutil.which(shell[0]) is None:
        assert "CI" not in os.environ, f".ci/run does not install {shell[0]}"
        pytest.skip(f"{shell[0]} is not installed, and nothing else reads what it evaluates")
    return shell


@contextmanager
def unchanged(sandbox: Sandbox) -> Iterator[None]:
    """A command that leaves the working directory as it found it, staged files included."""
    before = [(path, path.read_bytes()) for path in sandbox.files() if path.is_relative_to(sandbox.cwd)]
    yield
    assert [(path, path.read_bytes()) for path in sandbox.files() if path.is_relative_to(sandbox.cwd)] == before
