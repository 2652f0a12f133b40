"""A machine like many, made once and copied for each fault."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.promises import Scene
from tests.support.sandbox import Sandbox


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A repository whose `.env` has something in it already, and a store with one key."""
    # Not measured: what coverage writes is not what is to fail.
    sandbox = Sandbox(tmp_path_factory.mktemp("template"), measured=False)
    sandbox.make_repository()
    env_file = sandbox.cwd / ".env"
    env_file.write_text("# mine\nDEBUG=1\n")
    env_file.chmod(0o600)
    sandbox.ok("keys", "create", "--name", "other", "--env-file", ".env", "--var", "OTHER_KEY")
    return sandbox


@pytest.fixture
def new_scene(template: Sandbox, tmp_path: Path) -> Callable[[], Scene]:
    """Makes scenes; each has nothing to do with the one before."""
    count = 0

    def make() -> Scene:
        nonlocal count
        count += 1
        root = tmp_path / f"scene-{count}"
        shutil.copytree(template.root, root, symlinks=True)
        sandbox = Sandbox(root, measured=False)
        return Scene(sandbox, (sandbox.cwd / ".env").read_bytes())

    return make


@pytest.fixture
def scene(new_scene: Callable[[], Scene]) -> Scene:
    return new_scene()
