"""`keys revoke --leaked --replace` of keys that are in the keyring of the system, which works or does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.keyring_service import SecretService
from tests.support.leaks import Machine, actions, gitleaks, secret_in
from tests.support.sandbox import Sandbox


@pytest.fixture
def service() -> Iterator[SecretService]:
    with SecretService() as service:
        service.start_keeper(password="correct horse")
        yield service


@pytest.fixture
def machine(repository: Sandbox, service: SecretService) -> Machine:
    """A key in the keyring and in `.env`."""
    repository.extra |= service.environ
    repository.ok("keys", "create", "--name", "prod", "--keyring", "--env-file", ".env")
    return Machine(repository)


def test_the_next_version_is_in_the_keyring_too(machine: Machine, service: SecretService) -> None:
    leaked = secret_in(machine.env_file)
    machine.respond(gitleaks(leaked))
    new = secret_in(machine.env_file)
    assert service.lookup(machine.key("prod")["id"]) == new != leaked
    assert (machine.is_let_in(new), machine.is_let_in(leaked)) == (True, False)
    assert len(service.users()) == 1


def test_a_keyring_that_is_gone_keeps_nothing_leaked_alive_and_no_file_from_its_key(
    machine: Machine, service: SecretService
) -> None:
    leaked = secret_in(machine.env_file)
    service.end_keeper()
    done = machine.respond(gitleaks(leaked), "--json", code=8)
    assert actions(done) == [("prod", "replaced", True)]
    assert "keyring" in done.data["keys"][0]["trouble"]
    assert not machine.is_let_in(leaked)
    assert machine.is_let_in(secret_in(machine.env_file))


def test_a_key_that_only_a_lost_keyring_has_is_revoked(machine: Machine, service: SecretService) -> None:
    machine.sandbox.ok("keys", "create", "--name", "desk", "--keyring")
    leaked = service.lookup(machine.key("desk")["id"])
    assert leaked is not None
    service.end_keeper()
    machine.respond(gitleaks(leaked), code=8)
    assert machine.verdict(leaked) == "revoked"
