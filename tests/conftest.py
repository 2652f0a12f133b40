"""Fixtures that every room of tests may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.sandbox import Sandbox

# The same examples on every run, and none fails for being slow: what is asserted here is never a matter of luck.
settings.register_profile("routic", derandomize=True, deadline=None)
settings.load_profile("routic")


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A machine on which nobody has used routic yet."""
    return Sandbox(tmp_path / "machine")


@pytest.fixture
def repository(sandbox: Sandbox) -> Sandbox:
    """A machine whose working directory is a git repository that ignores `.env`."""
    sandbox.make_repository()
    return sandbox
