"""Fixtures that every room of tests may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A machine on which nobody has used routic yet."""
    return Sandbox(tmp_path / "machine")


@pytest.fixture
def repository(sandbox: Sandbox) -> Sandbox:
    """A machine whose working directory is a git repository that ignores `.env`."""
    sandbox.make_repository()
    return sandbox
