"""Fixtures of the tests that use the real programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.git_world import World, make_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A git repository that no setting of this machine reaches."""
    return make_world(tmp_path.resolve() / "home", monkeypatch)
