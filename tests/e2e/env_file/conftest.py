"""A repository, and a folder in which everybody may write."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.env_files import (
    git,
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository that ignores `.env` and nothing else."""
    place = tmp_path / "repository"
    place.mkdir()
    git(place, "init", "--quiet")
    (place / ".gitignore").write_text("/.env\n")
    git(place, "add", ".gitignore")
    git(place, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "start")
    return place


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that other users can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
