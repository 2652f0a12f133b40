"""Keys in a real Secret Service, seen with `secret-tool`; and one that is locked, silent, or not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.ground import active_keys, open_operations, sha256
from tests.support.keyring_service import SecretService
from tests.support.sandbox import DEADLINE, Sandbox

PASSWORD = "correct horse"
KEY_ID = "key_0123456789abcdef"
SECRET = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcd12"
SINK = f"""
import sys
from routic_cli.delivery.keyring_sink import KeyringSink, read_keyring_secret
from routic_cli.domain.errors import RouticError
from routic_cli.domain.secret import Secret
sink = KeyringSink({KEY_ID!r}, 2)
again = lambda: KeyringSink.from_record(sink.record())
def tried(step):
    try:
        step()
    except RouticError as error:
        print(type(error).__name__)
"""


@pytest.fixture
def service(sandbox: Sandbox) -> Iterator[SecretService]:
    """A session without a Secret Service yet, in which the sandbox runs its commands."""
    with SecretService() as service:
        sandbox.extra |= service.environ
        yield service


@pytest.fixture
def unlocked(service: SecretService) -> SecretService:
    """A session with an unlocked collection."""
    service.start_keeper(password=PASSWORD)
    return service


def python(sandbox: Sandbox, code: str) -> subprocess.Popen[str]:
    """A process that has a sink."""
    return subprocess.Popen(
        [sys.executable, "-c", SINK + code],
        env=sandbox.environ,
        cwd=sandbox.cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(process: subprocess.Popen[str], line: str = "") -> list[str]:
    """What it says until it ends, which it must."""
    return process.communicate(line, timeout=DEADLINE)[0].splitlines()


def create(sandbox: Sandbox, code: int, *words: str) -> str:
    """A creation that fails with the code and these words, and leaves nothing; all that it said."""
    done = sandbox.run("keys", "create", "--name", "prod", "--keyring")
    assert done.code == code
    assert done.out == ""
    assert [word for word in (*words, "No key was created") if word not in " ".join(done.err.split())] == []
    assert active_keys(sandbox.key_store) == []
    assert open_operations(sandbox.state_file) == 0
    return done.err


def test_a_created_key_is_in_the_keyring_and_nowhere_else(sandbox: Sandbox, unlocked: SecretService) -> None:
    done = sandbox.ok("keys", "create", "--name", "prod", "--keyring")
    (key,) = active_keys(sandbox.key_store)
    secret = unlocked.lookup(key.id)
    assert secret is not None
    assert sha256(secret) == key.sha256
    assert unlocked.users() == [key.id]
    assert secret not in done.out + done.err
    assert sandbox.holders(secret) == []


def test_a_rotation_replaces_the_entry(sandbox: Sandbox, unlocked: SecretService) -> None:
    sandbox.ok("keys", "create", "--name", "prod", "--keyring")
    (first,) = active_keys(sandbox.key_store)
    sandbox.ok("rotate", "prod")
    secret = unlocked.lookup(first.id)
    assert secret is not None
    assert sha256(secret) in {key.sha256 for key in active_keys(sandbox.key_store)} - {first.sha256}
    assert unlocked.users() == [first.id]


def test_what_a_crash_left_is_finished_by_another_process(sandbox: Sandbox, unlocked: SecretService) -> None:
    crash = f"import os; sink.preflight(); sink.prepare(Secret({SECRET!r})); os._exit(0)"
    assert said(python(sandbox, crash)) == []
    assert unlocked.users() == [f"{KEY_ID}#2"]
    finish = f"again().commit(); print(again().holds(Secret({SECRET!r}).fingerprint))"
    assert said(python(sandbox, finish)) == ["True"]
    assert unlocked.users() == [KEY_ID]
    assert unlocked.lookup(KEY_ID) == SECRET


def test_what_a_crash_left_is_undone_by_another_process(sandbox: Sandbox, unlocked: SecretService) -> None:
    assert said(python(sandbox, f"sink.prepare(Secret({SECRET!r}))")) == []
    assert unlocked.users() == [f"{KEY_ID}#2"]
    assert said(python(sandbox, "again().undo(); again().undo()")) == []
    assert unlocked.users() == []


def test_an_entry_survives_the_end_of_the_session(sandbox: Sandbox, unlocked: SecretService) -> None:
    sandbox.ok("keys", "create", "--name", "prod", "--keyring")
    (key,) = active_keys(sandbox.key_store)
    before = unlocked.lookup(key.id)
    unlocked.end_keeper()
    unlocked.start_keeper(password=PASSWORD)
    assert unlocked.lookup(key.id) == before


def test_a_locked_collection_that_nobody_can_unlock_is_an_error(sandbox: Sandbox, unlocked: SecretService) -> None:
    unlocked.end_keeper()
    unlocked.start_keeper(password=None)
    create(sandbox, 1, "The keyring is locked", "--env-file PATH")
    assert said(python(sandbox, f"tried(lambda: read_keyring_secret({KEY_ID!r}))")) == ["DeliveryError"]


def test_a_prompt_that_nobody_answers_is_given_up(sandbox: Sandbox, unlocked: SecretService) -> None:
    unlocked.end_keeper()
    unlocked.let_prompts_hang()
    unlocked.start_keeper(password=None)
    create(sandbox, 1, "The keyring does not answer", "unlock it and try again")


def test_a_service_without_a_collection_is_an_error(sandbox: Sandbox, service: SecretService) -> None:
    service.start_keeper(password=None)
    create(sandbox, 1, "no collection to keep entries in")


def test_a_silent_service_is_given_up_and_the_process_ends(sandbox: Sandbox, unlocked: SecretService) -> None:
    unlocked.stop()
    create(sandbox, 1, "The keyring does not answer", "--env-file PATH")
    unlocked.go_on()
    sandbox.ok("keys", "create", "--name", "prod", "--keyring")
    (key,) = active_keys(sandbox.key_store)
    assert unlocked.users() == [key.id]


def test_a_service_that_falls_silent_on_the_way_leaves_nothing(sandbox: Sandbox, unlocked: SecretService) -> None:
    code = f"sink.preflight(); print('ready', flush=True); input(); tried(lambda: sink.prepare(Secret({SECRET!r})))"
    process = python(sandbox, code)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    unlocked.stop()
    assert said(process, "\n") == ["DeliveryTimeoutError"]
    unlocked.go_on()
    assert said(python(sandbox, "again().undo()")) == []
    assert unlocked.users() == []


def test_a_session_without_a_secret_service_is_an_error(sandbox: Sandbox, service: SecretService) -> None:
    create(sandbox, 1, "neither running nor activatable", "gnome-keyring-daemon --unlock", "--env-file PATH")


@pytest.mark.parametrize("address", [None, "unix:path=/nonexistent/bus", "nonsense"])
def test_a_machine_without_a_session_is_an_error(sandbox: Sandbox, address: str | None) -> None:
    if address is not None:
        sandbox.extra["DBUS_SESSION_BUS_ADDRESS"] = address
    create(sandbox, 1, "There is no keyring that can be used", "--env-file PATH")


def test_a_plain_text_backend_is_refused(sandbox: Sandbox) -> None:
    sandbox.extra["PYTHON_KEYRING_BACKEND"] = "keyrings.alt.file.PlaintextKeyring"
    create(sandbox, 6, "PlaintextKeyring is no safe place for a key", "unset PYTHON_KEYRING_BACKEND")
    assert [path.name for path in sandbox.files() if "keyring" in path.name] == []
