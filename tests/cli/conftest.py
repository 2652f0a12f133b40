"""A machine on which some keys exist: made once, and copied for each test."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Stocked:
    """A repository, and a key called `prod` whose secret the test knows."""

    sandbox: Sandbox
    key_id: str
    secret: str


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """What `stocked` is a copy of."""
    sandbox = Sandbox(tmp_path_factory.mktemp("stock"))
    sandbox.make_repository()
    created = sandbox.ok("keys", "create", "--name", "prod", "--tag", "env=prod", "--json").data
    return Stocked(sandbox, created["id"], created["value"])


@pytest.fixture
def stocked(stock: Stocked, tmp_path: Path) -> Stocked:
    root = tmp_path / "machine"
    shutil.copytree(stock.sandbox.root, root, symlinks=True)
    return Stocked(Sandbox(root), stock.key_id, stock.secret)
