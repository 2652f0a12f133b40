"""A home that nobody may change, made once; and a key in a file, to be changed."""

from __future__ import annotations

import pytest

from tests.support.exporting import Home, secret_in
from tests.support.sandbox import Sandbox


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    sandbox = Sandbox(tmp_path_factory.mktemp("export"))
    sandbox.make_repository()
    sandbox.ok("keys", "create", "--name", "prod", "--env-file", ".env")
    sandbox.ok("keys", "create", "--name", "worker", "--env-file", ".env.worker", "--var", "WORKER_KEY")
    return Home(sandbox, secret_in(sandbox.cwd / ".env"), secret_in(sandbox.cwd / ".env.worker"))


@pytest.fixture
def placed(repository: Sandbox) -> Sandbox:
    """A repository with a key `prod` in `.env`, to be changed."""
    repository.ok("keys", "create", "--name", "prod", "--env-file", ".env")
    return repository
