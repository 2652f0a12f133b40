"""A repository with keys to plant: made once, and copied for each test."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox
from tests.support.scanned import Planted, plant


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """What `planted` is a copy of."""
    return plant(Sandbox(tmp_path_factory.mktemp("seed")))


@pytest.fixture
def planted(seed: Planted, tmp_path: Path) -> Planted:
    root = tmp_path / "machine"
    shutil.copytree(seed.sandbox.root, root, symlinks=True)
    return replace(seed, sandbox=Sandbox(root))
