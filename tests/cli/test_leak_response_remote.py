"""`keys revoke --leaked` through a real server, with credentials that may do more or less of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.gateways import routic_serve
from tests.support.leaks import Machine, actions, gitleaks, secret_in
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal
from tests.support.usage_log import call, write_log


@dataclass(frozen=True, slots=True)
class Team:
    """A server with its store, and a machine in front of it that has the key `web` in `.env`."""

    server: Sandbox
    machine: Machine
    leaked: str

    def credential(self, *scopes: str) -> str:
        """From now on the machine asks with such a credential; the secret of it."""
        name = "-".join(scopes).replace(":", ".")
        words = [word for scope in scopes for word in ("--scope", scope)]
        token = self.server.ok("keys", "create", "--name", name, *words).secret
        self.machine.sandbox.extra["ROUTIC_TOKEN"] = token
        return token

    def status(self, secret: str) -> str:
        """What the server's own store says."""
        return str(self.server.run("keys", "verify", "--json", stdin=secret).data["status"])


@contextmanager
def _team(root: Path) -> Iterator[Team]:
    server, client = Sandbox(root / "server"), Sandbox(root / "client")
    client.make_repository()
    token = server.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    with routic_serve(server) as serving:
        client.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        client.ok("keys", "create", "--name", "web", "--env-file", ".env")
        key_id = client.ok("keys", "show", "web", "--json").data["id"]
        write_log(server, [call(int(time.time()), key_id=key_id, version=1, address="198.51.100.9")])
        yield Team(server, Machine(client), secret_in(client.cwd / ".env"))


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with _team(tmp_path) as team:
        yield team


def test_an_administrator_replaces_and_sees_who_called(team: Team) -> None:
    done = team.machine.respond(gitleaks(team.leaked), "--json")
    assert actions(done) == [("web", "replaced", True)]
    audit = done.data["keys"][0]["audit"]
    assert [(each["address"], each["calls"]) for each in audit["callers"]] == [("198.51.100.9", 1)]
    assert (team.status(team.leaked), team.status(secret_in(team.machine.env_file))) == ("expired", "active")
    again = team.machine.respond(gitleaks(team.leaked), "--json")
    assert (actions(again), again.data["changed"]) == ([("web", "none", False)], False)


@pytest.mark.parametrize(
    ("scopes", "code", "action", "looked_at"),
    [
        (["keys:revoke"], 8, "revoked", False),
        (["keys:revoke", "usage:read"], 8, "revoked", True),
        (["keys:revoke", "keys:write", "api"], 0, "replaced", False),
        (["keys:revoke", "keys:write", "api", "usage:read"], 0, "replaced", True),
    ],
)
def test_each_scope_gives_its_part_and_what_leaked_is_dead(
    team: Team, scopes: Sequence[str], code: int, action: str, *, looked_at: bool
) -> None:
    team.credential(*scopes)
    done = team.machine.respond(gitleaks(team.leaked), "--json", code=code)
    (told,) = done.data["keys"]
    assert (told["action"], told["audit"]["looked_at"]) == (action, looked_at)
    assert team.status(team.leaked) == ("revoked" if action == "revoked" else "expired")
    if not looked_at:
        assert "usage:read" in told["audit"]["trouble"]
    if code:
        assert "keys:write" in told["trouble"]


def test_a_job_that_may_only_revoke_ends_with_success_and_says_what_it_could_not_see(team: Team) -> None:
    team.credential("keys:revoke")
    done = team.machine.run("keys", "revoke", "--from", "-", "--leaked", "--yes", stdin=gitleaks(team.leaked))
    assert done.code == 0
    assert "usage:read" in done.err
    assert team.status(team.leaked) == "revoked"


def test_a_key_that_may_more_than_the_credential_is_revoked(team: Team) -> None:
    admin = team.server.ok("keys", "create", "--name", "boss", "--scope", "admin").secret
    team.credential("keys:revoke", "keys:write", "api")
    done = team.machine.respond(gitleaks(admin), "--env-file", ".env.boss", "--json", code=8)
    assert actions(done) == [("boss", "revoked", True)]
    assert team.status(admin) == "revoked"
    assert not (team.machine.sandbox.cwd / ".env.boss").exists()


def test_a_retiring_version_of_a_key_that_may_not_be_changed_is_revoked_with_it(team: Team) -> None:
    team.machine.sandbox.ok("rotate", "web", "--grace", "24h")
    team.credential("keys:revoke")
    done = team.machine.respond(gitleaks(team.leaked), "--json", code=8)
    assert actions(done) == [("web", "revoked", True)]
    assert team.status(team.leaked) == "revoked"


def test_a_credential_that_leaked_itself_does_its_work_before_it_dies(team: Team) -> None:
    own = team.credential("keys:revoke", "keys:write", "api")
    done = team.machine.respond(gitleaks(own, team.leaked), "--json", code=8)
    assert [action for _, action, _ in actions(done)] == ["revoked", "replaced"]
    assert (team.status(own), team.status(team.leaked)) == ("revoked", "expired")
    assert team.status(secret_in(team.machine.env_file)) == "active"


def test_a_server_that_is_gone_is_no_success(tmp_path: Path) -> None:
    with _team(tmp_path) as team:
        pass
    done = team.machine.respond(gitleaks(team.leaked), code=7)
    assert "Nothing was sent" in done.err
    assert secret_in(team.machine.env_file) == team.leaked


def test_a_dry_run_promises_no_replacement_that_the_credential_may_not_make(team: Team) -> None:
    """To make a version of a key, a credential holds every scope of it: `web` has `api`."""
    team.credential("keys:revoke", "keys:write")
    planned = team.machine.respond(gitleaks(team.leaked), "--json", "--dry-run", code=8)
    assert actions(planned) == [("web", "revoked", False)]
    assert "scope api" in planned.data["keys"][0]["trouble"]
    done = team.machine.respond(gitleaks(team.leaked), "--json", code=8)
    assert actions(done) == [("web", "revoked", True)]


@pytest.mark.parametrize("how", ["named", "leaked", "from"])
def test_a_credential_that_may_not_revoke_is_told_so_before_anybody_is_asked(team: Team, how: str) -> None:
    team.credential("keys:read")
    words = {"named": ["web"], "leaked": ["web", "--leaked"], "from": ["--from", "report.json"]}[how]
    (team.machine.sandbox.cwd / "report.json").write_text(gitleaks(team.leaked))
    with Terminal(team.machine.sandbox, "keys", "revoke", *words) as terminal:
        done = terminal.finish()
    assert done.code == 4, done.err
    assert "lacks the scope keys:revoke" in " ".join(done.err.split())
    assert "for good?" not in done.err
