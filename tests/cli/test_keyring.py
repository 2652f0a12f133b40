"""`--keyring`, from creating a key to aborting its rotation, in a real Secret Service that `secret-tool` looks into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.ground import active_keys, open_operations
from tests.support.keyring_service import SecretService
from tests.support.sandbox import SECRET, Sandbox

PASSWORD: Final = "correct horse"
CREATE: Final = ("keys", "create", "--name", "prod", "--keyring")


@pytest.fixture(scope="module")
def service() -> Iterator[SecretService]:
    """One session for all: the entries of a test are those of its own keys."""
    with SecretService() as service:
        service.start_keeper(password=PASSWORD)
        yield service


@pytest.fixture
def desktop(repository: Sandbox, service: SecretService) -> Sandbox:
    """A repository on a machine with an unlocked keyring."""
    repository.extra |= service.environ
    return repository


def key_id(sandbox: Sandbox) -> str:
    return str(sandbox.ok("keys", "show", "prod", "--fields", "id").data["id"])


def entry(sandbox: Sandbox, service: SecretService) -> str:
    """What another program reads as the key's secret."""
    secret = service.lookup(key_id(sandbox))
    assert secret is not None
    return secret


def test_a_key_in_the_keyring_is_exported_run_shown_and_in_no_file(desktop: Sandbox, service: SecretService) -> None:
    created = desktop.ok(*CREATE)
    secret = entry(desktop, service)
    assert SECRET.fullmatch(secret)
    assert (created.out, secret in created.err, "the keyring of this system" in created.err) == ("", False, True)
    assert desktop.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret}\n"
    assert desktop.ok("--quiet", "export", "K=prod").out == f"export K={secret}\n"
    assert desktop.shell('eval "$(routic export prod)"; printenv ROUTIC_API_KEY').out == f"{secret}\n"
    assert desktop.ok("run", "prod", "--", "printenv", "ROUTIC_API_KEY").out == f"{secret}\n"
    (placement,) = desktop.ok("keys", "show", "prod", "--json").data["placements"]
    assert (placement["kind"], placement["location"]) == ("keyring", f"routic:{key_id(desktop)}")
    assert (placement["version"], placement["holds"]) == (1, "current")
    assert "placement:\tkeyring\t" in desktop.ok("keys", "show", "prod").out
    assert desktop.ok("doctor").out == ""
    assert desktop.holders(secret) == []


def test_without_a_name_the_keys_of_a_keyring_are_not_taken(desktop: Sandbox) -> None:
    desktop.ok(*CREATE)
    assert desktop.run("export").code == 2
    assert desktop.run("run", "--", "true").code == 125


def test_a_rotation_renews_the_entry_and_an_abort_puts_it_back(desktop: Sandbox, service: SecretService) -> None:
    desktop.ok(*CREATE)
    first = entry(desktop, service)
    rotated = desktop.ok("rotate", "prod")
    second = entry(desktop, service)
    assert second != first
    assert [secret for secret in (first, second) if secret in rotated.out + rotated.err] == []
    assert desktop.ok("export", "prod").out == f"export ROUTIC_API_KEY={second}\n"
    assert [desktop.run("keys", "verify", stdin=secret).code for secret in (first, second)] == [0, 0]
    desktop.ok("rotate", "prod", "--abort", "--yes")
    assert entry(desktop, service) == first
    assert desktop.ok("export", "prod").out == f"export ROUTIC_API_KEY={first}\n"
    assert [desktop.run("keys", "verify", stdin=secret).code for secret in (first, second)] == [0, 9]
    assert [desktop.holders(secret) for secret in (first, second)] == [[], []]
    assert open_operations(desktop.state_file) == 0


def test_an_entry_that_another_program_removed_is_told_and_can_be_made_anew(
    desktop: Sandbox, service: SecretService
) -> None:
    desktop.ok(*CREATE)
    desktop.ok("run", "prod", "--", "secret-tool", "clear", "service", "routic", "username", key_id(desktop))
    done = desktop.run("export", "prod")
    assert (done.code, done.out, "cannot be read" in done.err) == (1, "false\n", True)
    assert desktop.run("doctor").code == 9
    desktop.ok("rotate", "prod", "--keyring")
    assert desktop.ok("export", "prod").out == f"export ROUTIC_API_KEY={entry(desktop, service)}\n"


def test_keyring_and_file_have_the_same_secret_and_both_are_renewed(desktop: Sandbox, service: SecretService) -> None:
    desktop.ok(*CREATE, "--env-file", ".env")
    for _ in range(2):
        assert (desktop.cwd / ".env").read_text() == f"ROUTIC_API_KEY={entry(desktop, service)}\n"
        desktop.ok("rotate", "prod")
    assert sorted(p["kind"] for p in desktop.ok("keys", "show", "prod", "--json").data["placements"]) == [
        "env_file",
        "keyring",
    ]


def test_what_is_shown_beside_the_keyring_is_the_secret_in_it(desktop: Sandbox, service: SecretService) -> None:
    assert desktop.ok(*CREATE, "--show").secret == entry(desktop, service)


def test_a_file_that_is_refused_leaves_no_entry(desktop: Sandbox, service: SecretService) -> None:
    before = service.users()
    assert desktop.run(*CREATE, "--env-file", "app.env").code == 6
    assert active_keys(desktop.key_store) == []
    assert service.users() == before


def test_a_rehearsal_leaves_no_entry(desktop: Sandbox, service: SecretService) -> None:
    before = service.users()
    desktop.ok(*CREATE, "--dry-run")
    assert service.users() == before


@pytest.mark.parametrize("more", [[], ["--env-file", ".env"]], ids=["alone", "with a file"])
def test_without_a_session_no_key_is_created_and_the_error_says_what_to_do(
    repository: Sandbox, more: list[str]
) -> None:
    done = repository.run(*CREATE, *more)
    assert (done.code, done.out) == (1, "")
    said = " ".join(done.err.split())
    wanted = (
        "There is no keyring that can be used",
        "No key was created",
        "gnome-keyring-daemon --unlock",
        "--env-file",
    )
    assert [text for text in wanted if text not in said] == []
    assert active_keys(repository.key_store) == []
    assert not (repository.cwd / ".env").exists()
    assert open_operations(repository.state_file) == 0


def _without_keyring(sandbox: Sandbox) -> None:
    sandbox.extra["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent/bus"


def test_a_keyring_that_cannot_be_asked_is_named_as_the_reason(desktop: Sandbox) -> None:
    desktop.ok(*CREATE)
    _without_keyring(desktop)
    for done in (
        desktop.run("export", "prod"),
        desktop.run("run", "prod", "--", "true"),
        desktop.run("rotate", "prod"),
    ):
        assert done.code in {1, 125}
        assert "There is no keyring that can be used" in done.err
    assert desktop.run("doctor").code == 9


def test_a_file_serves_where_the_keyring_cannot_be_asked(desktop: Sandbox, service: SecretService) -> None:
    desktop.ok(*CREATE, "--env-file", ".env")
    secret = entry(desktop, service)
    _without_keyring(desktop)
    assert desktop.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret}\n"
