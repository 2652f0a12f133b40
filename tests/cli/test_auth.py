"""`routic auth` and `doctor` with a real server: whose credential it is, into the keyring, and out of it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from routic_cli.server.app import Application, Parts
from routic_cli.server.credentials import StoreAuthenticator
from routic_cli.server.services import Services
from routic_cli.store.sqlite import SqliteStore
from tests.support.keyring_service import SecretService
from tests.support.sandbox import SECRET, Done, Sandbox
from tests.support.server import serving
from tests.support.tap import Tap
from tests.support.terminal import Terminal

ADMIN: Final = "routic-admin"
NOBODY: Final = "http://127.0.0.1:1"
UNKNOWN: Final = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"
FIELDS: Final = {
    "object", "store", "origin", "status", "source", "hint", "id", "name", "scopes", "expires_at", "detail",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """The real server on the store of a machine of its own."""

    machine: Sandbox
    url: str


@pytest.fixture(scope="module")
def service() -> Iterator[SecretService]:
    with SecretService() as service:
        service.start_keeper(password="correct horse")
        yield service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests: the keys of a test have names of their own."""
    machine = Sandbox(tmp_path_factory.mktemp("server"))
    machine.ok("keys", "create", "--name", "first")

    def clock() -> int:
        return int(time.time())

    services = Services(lambda account: SqliteStore(machine.key_store, account=account), clock)
    with serving(Application(Parts(services, StoreAuthenticator(services, clock), clock))) as url:
        yield Server(machine, url)


@pytest.fixture
def desktop(sandbox: Sandbox, service: SecretService, server: Server) -> Iterator[Sandbox]:
    """A machine with an unlocked keyring, whose store is the server's."""
    sandbox.extra |= service.environ
    sandbox.ok("config", "set", "store", server.url)
    yield sandbox
    sandbox.extra = dict(service.environ)
    sandbox.ok("auth", "logout")


@pytest.fixture
def key(server: Server, request: pytest.FixtureRequest) -> Any:
    """Makes a key on the server's own store, with these scopes; its secret."""
    made = iter(range(100))

    def make(*scopes: str, more: tuple[str, ...] = ()) -> str:
        name = f"{abs(hash(request.node.name)) % 10**9}-{next(made)}"
        options = [word for scope in scopes for word in ("--scope", scope)]
        return server.machine.ok("keys", "create", "--name", name, *options, *more).secret

    return make


def name_of(server: Server, secret: str) -> str:
    done = server.machine.run("keys", "verify", "--json", stdin=secret)
    return str(done.data["key"]["name"])


def log_in(desktop: Sandbox, secret: str, *more: str) -> Done:
    done = desktop.run("auth", "login", *more, stdin=secret)
    assert secret not in done.out + done.err
    return done


# Login


def test_a_credential_is_kept_in_the_keyring_used_from_there_and_removed(
    desktop: Sandbox, service: SecretService, server: Server, key: Any
) -> None:
    secret = key("admin")
    done = log_in(desktop, f"{secret}\n")
    assert done.code == 0
    assert f"Logged in to {server.url} as '{name_of(server, secret)}'" in done.err
    assert "scopes:\tadmin\n" in done.out
    assert "expires:\tnever\n" in done.out
    assert service.lookup(server.url, service=ADMIN) == secret
    assert desktop.holders(secret) == []

    desktop.ok("keys", "create", "--name", f"{name_of(server, secret)}-made", "--env-file", "secrets.env")
    assert SECRET.search((desktop.cwd / "secrets.env").read_text())
    assert desktop.ok("export", f"{name_of(server, secret)}-made").out.startswith("export ROUTIC_API_KEY=sk-")
    assert not desktop.key_store.exists()

    out = desktop.ok("auth", "logout")
    assert "The key itself stays valid" in out.err
    assert f"routic --store {server.url} keys revoke" in out.err
    assert service.lookup(server.url, service=ADMIN) is None
    assert desktop.run("keys", "list").code == 4
    assert server.machine.run("keys", "verify", stdin=secret).code == 0
    again = desktop.ok("auth", "logout", "--json").data
    assert (again["changed"], again["hint"]) == (False, None)


def test_at_a_terminal_the_credential_is_typed_without_being_shown(
    desktop: Sandbox, service: SecretService, server: Server, key: Any
) -> None:
    secret = key("keys:read", "keys:write")
    with Terminal(desktop, "auth", "login") as terminal:
        terminal.expect(f"Admin credential for {server.url}")
        while terminal.is_echoing():
            pass
        terminal.type(f"{secret}\r")
        done = terminal.finish()
    assert (done.code, secret in done.out + done.err) == (0, False)
    assert "keys:read, keys:write" in done.out
    assert service.lookup(server.url, service=ADMIN) == secret


def test_json_has_the_credential_by_its_hint(desktop: Sandbox, server: Server, key: Any) -> None:
    secret = key("admin", more=("--expires", "30d"))
    done = log_in(desktop, secret, "--json")
    assert (done.code, done.err, set(done.data)) == (0, "", FIELDS)
    assert (done.data["status"], done.data["source"], done.data["scopes"]) == ("valid", "keyring", ["admin"])
    assert (done.data["store"], done.data["origin"]) == (server.url, server.url)
    assert done.data["hint"] == f"{secret[:7]}…{secret[-4:]}"
    assert isinstance(done.data["expires_at"], int)


@pytest.mark.parametrize("scope", ["keys:read", "keys:revoke", "usage:read", "usage:write"])
def test_a_credential_for_one_purpose_can_log_in_and_be_told_who_it_is(desktop: Sandbox, key: Any, scope: str) -> None:
    assert log_in(desktop, key(scope)).code == 0
    assert desktop.ok("auth", "status", "--fields", "scopes,status").data == {"scopes": [scope], "status": "valid"}
    assert desktop.ok("doctor").out == ""


def test_a_key_of_a_service_is_no_credential(
    desktop: Sandbox, service: SecretService, server: Server, key: Any
) -> None:
    done = log_in(desktop, key("api"))
    assert (done.code, "administer nothing" in done.err, "Nothing was stored" in done.err) == (4, True, True)
    assert service.lookup(server.url, service=ADMIN) is None


@pytest.mark.parametrize("kind", ["unknown", "cut short", "revoked", "expired"])
def test_a_credential_that_the_server_refuses_is_not_kept_and_the_one_before_stays(
    desktop: Sandbox, service: SecretService, server: Server, key: Any, kind: str
) -> None:
    good, bad = key("admin"), key("admin")
    log_in(desktop, good)
    name = name_of(server, bad)
    if kind == "revoked":
        server.machine.ok("keys", "revoke", name, "--yes")
    elif kind == "expired":
        server.machine.ok("rotate", name, "--now", "--yes")
    done = log_in(desktop, {"unknown": UNKNOWN, "cut short": bad[:-4]}.get(kind, bad))
    assert (done.code, "Nothing was stored" in done.err) == (4, True)
    if kind == "cut short":
        assert "not copied completely" in done.err
    assert service.lookup(server.url, service=ADMIN) == good


def test_logging_in_again_replaces_the_credential(
    desktop: Sandbox, service: SecretService, server: Server, key: Any
) -> None:
    for secret in (key("admin"), key("keys:read")):
        assert log_in(desktop, secret).code == 0
        assert service.lookup(server.url, service=ADMIN) == secret
    assert service.users(service=ADMIN).count(server.url) == 1


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", 2), ("a\nb", 2), ("Bearer sk-x", 2), ("sk-AbCd…WxYz", 2), ("tökén", 4)],
)
def test_what_is_no_credential_is_not_sent(desktop: Sandbox, typed: str, code: int) -> None:
    with Tap() as tap:
        done = desktop.run("--store", tap.url, "auth", "login", stdin=typed)
        assert (done.code, tap.connections) == (code, 0)


def test_a_server_that_cannot_be_reached_keeps_nothing_from_being_tried_again(
    desktop: Sandbox, service: SecretService
) -> None:
    done = desktop.run("--store", NOBODY, "auth", "login", stdin=UNKNOWN)
    assert (done.code, "Nothing was stored" in done.err) == (7, True)
    assert service.lookup(NOBODY, service=ADMIN) is None


def test_without_a_keyring_nothing_is_asked_and_nothing_is_sent(sandbox: Sandbox) -> None:
    with Tap() as tap:
        done = sandbox.run("--store", tap.url, "auth", "login", stdin=UNKNOWN)
        assert (done.code, tap.connections) == (1, 0)
    assert "ROUTIC_TOKEN_FILE=PATH" in done.err
    assert "Nothing was stored" in done.err
    assert sandbox.holders(UNKNOWN) == []


def test_a_variable_that_outranks_the_keyring_is_said(desktop: Sandbox, key: Any) -> None:
    secret = key("admin")
    done = desktop.ok("auth", "login", stdin=secret, env={"ROUTIC_TOKEN": UNKNOWN})
    assert "ROUTIC_TOKEN is set and outranks the keyring" in done.err
    out = desktop.ok("auth", "logout", env={"ROUTIC_TOKEN": UNKNOWN})
    assert "ROUTIC_TOKEN still has a credential" in out.err


# Status


def test_status_says_where_the_credential_comes_from_and_whose_it_is(
    desktop: Sandbox, server: Server, key: Any
) -> None:
    secret = key("admin")
    name = name_of(server, secret)
    (desktop.home / "token").write_text(secret)
    (desktop.home / "token").chmod(0o600)
    for source, value in (("ROUTIC_TOKEN", secret), ("ROUTIC_TOKEN_FILE", str(desktop.home / "token"))):
        shown = desktop.ok("auth", "status", "--json", env={source: value}).data
        assert set(shown) == FIELDS
        assert (shown["status"], shown["source"], shown["name"]) == ("valid", source, name)
    desktop.ok("config", "set", "token_file", str(desktop.home / "token"))
    assert desktop.ok("auth", "status", "--fields", "source").data == {"source": "profile default"}
    desktop.ok("config", "unset", "token_file")
    log_in(desktop, secret)
    done = desktop.ok("auth", "status")
    assert (f"name:\t{name}\n" in done.out, "from:\tkeyring\n" in done.out, secret in done.out) == (True, True, False)


def test_status_ends_with_4_when_it_is_missing_or_refused_and_7_when_nobody_answers(desktop: Sandbox) -> None:
    for env, status, code in (
        ({}, "missing", 4),
        ({"ROUTIC_TOKEN": ""}, "missing", 4),
        ({"ROUTIC_TOKEN": UNKNOWN}, "refused", 4),
        ({"ROUTIC_TOKEN": UNKNOWN, "ROUTIC_STORE": NOBODY}, "unreachable", 7),
    ):
        done = desktop.run("auth", "status", "--json", env=env)
        assert (done.code, done.data["status"], done.err) == (code, status, "")
        assert done.data["detail"]
        told = desktop.run("auth", "status", env=env)
        assert (told.code, f"status:\t{status}\n" in told.out, "Try:" in told.err) == (code, True, True)
        assert UNKNOWN not in told.out + told.err


def test_the_end_of_a_version_that_was_rotated_is_the_end_of_the_credential(
    desktop: Sandbox, server: Server, key: Any
) -> None:
    secret = key("admin")
    server.machine.ok("rotate", name_of(server, secret), "--grace", "3h", "--show")
    env = {"ROUTIC_TOKEN": secret}
    assert isinstance(desktop.ok("auth", "status", "--json", env=env).data["expires_at"], int)
    (found,) = desktop.run("doctor", "--json", env=env).data["data"]
    assert (found["rule"], found["remedy"]) == ("credential-ends", f"routic --store {server.url} auth login")


# A store that is a file


def test_a_file_needs_no_credential(sandbox: Sandbox) -> None:
    done = sandbox.ok("auth", "status", "--json", env={"ROUTIC_TOKEN": UNKNOWN})
    assert (done.data["status"], done.data["origin"], done.data["source"]) == ("not_needed", None, None)
    assert "status:\tnot needed\n" in sandbox.ok("auth", "status").out
    for word in ("login", "logout"):
        done = sandbox.run("auth", word, stdin=UNKNOWN)
        assert (done.code, "needs no credential" in done.err, "https://HOST" in done.err) == (2, True, True)
    assert sandbox.holders(UNKNOWN) == []


@pytest.mark.parametrize("word", ["login", "logout", "status"])
def test_a_field_that_there_is_not_is_refused_before_anything_happens(sandbox: Sandbox, word: str) -> None:
    with Tap() as tap:
        done = sandbox.run("--store", tap.url, "auth", word, "--fields", "nosuch", stdin=UNKNOWN)
        assert (done.code, "origin" in done.err, tap.connections) == (2, True, 0)


# Doctor


def findings(sandbox: Sandbox, **env: str) -> list[dict[str, Any]]:
    done = sandbox.run("doctor", "--json", env=env)
    found: list[dict[str, Any]] = done.data["data"]
    assert (done.code, done.err) == (9 if found else 0, "")
    return found


def test_doctor_finds_nothing_at_a_remote_store_that_is_well_and_makes_no_local_one(
    desktop: Sandbox, server: Server, key: Any
) -> None:
    secret = key("admin")
    log_in(desktop, secret)
    desktop.ok("keys", "create", "--name", f"{name_of(server, secret)}-made", "--env-file", "secrets.env")
    assert findings(desktop) == []
    assert not desktop.key_store.exists()


@pytest.mark.parametrize(
    ("env", "rule", "remedy"),
    [
        ({}, "missing_api_key", "auth login"),
        ({"ROUTIC_TOKEN": ""}, "missing_api_key", "unset ROUTIC_TOKEN"),
        ({"ROUTIC_TOKEN": UNKNOWN}, "invalid_api_key", "auth login"),
        ({"ROUTIC_TOKEN": UNKNOWN, "ROUTIC_STORE": NOBODY}, "unavailable", "again"),
    ],
)
def test_a_credential_or_a_server_in_trouble_is_one_finding(
    desktop: Sandbox, env: dict[str, str], rule: str, remedy: str
) -> None:
    desktop.ok("keys", "create", "--name", "local", "--env-file", ".env", env={"ROUTIC_STORE": "local.db"})
    (found,) = findings(desktop, **env)
    assert (found["area"], found["rule"], found["severity"]) == ("Key store", rule, "refuse")
    assert remedy in found["remedy"]


def test_doctor_asks_a_server_that_refuses_once(desktop: Sandbox) -> None:
    with Tap() as tap:
        (found,) = findings(desktop, ROUTIC_TOKEN=UNKNOWN, ROUTIC_STORE=tap.url)
        assert (found["rule"], len(tap.heard)) == ("invalid_api_key", 1)


def test_doctor_says_when_a_credential_ends_soon_or_may_do_nothing(desktop: Sandbox, server: Server, key: Any) -> None:
    short = key("admin", more=("--expires", "2d"))
    (found,) = findings(desktop, ROUTIC_TOKEN=short)
    assert (found["rule"], found["severity"]) == ("credential-ends", "warn")
    assert found["remedy"] == f"routic --store {server.url} auth login"
    name = desktop.ok("auth", "status", "--json", env={"ROUTIC_TOKEN": short}).data["name"]
    desktop.ok("keys", "update", name, "--expires", "90d", env={"ROUTIC_TOKEN": key("admin")})
    assert findings(desktop, ROUTIC_TOKEN=short) == []
    (found,) = findings(desktop, ROUTIC_TOKEN=key("api"))
    assert (found["rule"], found["severity"]) == ("credential-scope", "refuse")
    assert server.url in found["remedy"]


def test_doctor_looks_at_the_files_that_a_remote_store_needs(desktop: Sandbox, key: Any) -> None:
    token = desktop.home / "token"
    token.write_text(key("admin"))
    token.chmod(0o644)
    (desktop.home / "ca.pem").write_text("no certificate\n")
    env = {"ROUTIC_TOKEN_FILE": str(token), "ROUTIC_CA_FILE": str(desktop.home / "ca.pem")}
    (found,) = findings(desktop, **env)
    assert (found["area"], "PEM" in found["message"]) == ("Configuration", True)
    del env["ROUTIC_CA_FILE"]
    for wide in findings(desktop, **env):  # none for root, to whom mounted secrets belong
        assert wide["rule"] == "open-token-file"
        assert desktop.shell(wide["remedy"]).code == 0
    assert findings(desktop, **env) == []
