"""A key that is in three files, made once and copied for each test; and one that was only printed."""

from __future__ import annotations

import shutil

import pytest

from tests.support.placed import BEFORE, FILES, MORNING, Placed, clock
from tests.support.sandbox import Sandbox


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Placed:
    """What `placed` is made like again for each test; in the same place, for a placement is an absolute path."""
    sandbox = Sandbox(tmp_path_factory.mktemp("rotate") / "machine", extra=clock(MORNING))
    sandbox.make_repository()
    for name, content in BEFORE.items():
        path = sandbox.cwd / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    into = [text for name in FILES for text in ("--env-file", name)]
    options = ["--tag", "team=blue", "--rpm", "60", "--expires", "never"]
    key = sandbox.ok("keys", "create", "--name", "prod", *options, *into, "--json").data
    placed = Placed(sandbox, key, "")
    shutil.copytree(sandbox.root, sandbox.root.with_suffix(".kept"), symlinks=True)
    return Placed(sandbox, key, placed.held()[0])


@pytest.fixture
def placed(stock: Placed) -> Placed:
    shutil.rmtree(stock.sandbox.root)
    shutil.copytree(stock.sandbox.root.with_suffix(".kept"), stock.sandbox.root, symlinks=True)
    return stock


@pytest.fixture
def printed(sandbox: Sandbox) -> tuple[Sandbox, str]:
    """A key called `prod` that is nowhere on its machine, and its secret."""
    return sandbox, sandbox.ok("keys", "create", "--name", "prod").secret
