"""Which credential may ask what of the admin API: each route with each scope, over a real socket and real keys."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest

from routic_cli.domain.keys import DEFAULT_ACCOUNT, KeyId, KeyTraits, NewKey, NewVersion, Scope
from routic_cli.domain.minting import mint_key_id, mint_secret
from routic_cli.domain.secret import Secret
from routic_cli.server.app import Application, Parts
from routic_cli.server.credentials import StoreAuthenticator
from routic_cli.server.routes import ROUTES
from routic_cli.server.services import Services
from routic_cli.service.keys import KeyService
from routic_cli.store.sqlite import SqliteStore
from tests.support.keys import HINT, sha256
from tests.support.server import serving

READERS: Final = {Scope.KEYS_READ, Scope.KEYS_WRITE, Scope.KEYS_REVOKE, Scope.ADMIN}
WRITERS: Final = {Scope.KEYS_WRITE, Scope.ADMIN}
REVOKERS: Final = {Scope.KEYS_REVOKE, Scope.ADMIN}
LISTERS: Final = {Scope.KEYS_READ, Scope.ADMIN}
SEERS: Final = {Scope.USAGE_READ, Scope.ADMIN}
REPORTERS: Final = {Scope.USAGE_WRITE, Scope.ADMIN}

# Who may, and a request that the route can answer but for the credential. {id} is a key with the scope `keys:write`.
BODY: Final = {"sha256": sha256(77), "hint": HINT}
TABLE: Final[dict[str, tuple[str, str, Any, set[Scope]]]] = {
    "list": ("GET", "/keys", None, LISTERS),
    "find": ("GET", "/keys?ref=target", None, READERS),
    "mint": ("POST", "/keys", {"name": "minted", "scopes": ["keys:write"]}, WRITERS),
    "import": ("POST", "/keys/import", {"keys": []}, WRITERS),
    "revoke many": ("POST", "/keys/revoke", {"sha256": [sha256(78)]}, REVOKERS),
    "verify": ("POST", "/keys/verify", {"sha256": sha256(78)}, READERS),
    "verify many": ("POST", "/keys/verify/batch", {"sha256": [sha256(78)]}, READERS),
    "show": ("GET", "/keys/{id}", None, READERS),
    "register": ("PUT", "/keys/key_0000000000000077", BODY | {"name": "put", "scopes": ["keys:write"]}, WRITERS),
    "change": ("PATCH", "/keys/{id}", {"limits": {"rpm": 5}}, WRITERS),
    "revoke": ("POST", "/keys/{id}/revoke", {}, REVOKERS),
    "add a version": ("PUT", "/keys/{id}/versions/2", BODY, WRITERS),
    "end a version": ("PATCH", "/keys/{id}/versions/1", {"expires_at": None}, WRITERS),
    # 409: it is the only one of the key, which the scope does not decide.
    "delete a version": ("DELETE", "/keys/{id}/versions/1", None, WRITERS),
    "usage": ("GET", "/usage", None, SEERS),
    "report usage": ("POST", "/usage", {"events": [{"time": 1_700_000_000, "outcome": "allowed"}]}, REPORTERS),
    "forget usage": ("DELETE", "/usage?before=0", None, {Scope.ADMIN}),
    "sum of usage": ("GET", "/usage/summary?by=key", None, SEERS),
    "audit": ("GET", "/usage/audit", None, SEERS),
    "account": ("GET", "/account", None, {Scope.KEYS_READ, Scope.USAGE_READ, Scope.ADMIN}),
    "set the account": ("PATCH", "/account", {"balance": "25.00"}, {Scope.ADMIN}),
    "trail": ("GET", "/trail", None, LISTERS),
}


def clock() -> int:
    return int(time.time())


@dataclass(frozen=True, slots=True)
class House:
    """The real server with real keys."""

    address: str
    service: KeyService

    def key(self, *scopes: Scope, expires_at: int | None = None, age: int = 0) -> tuple[KeyId, Secret]:
        """A new key, made so many seconds ago: its id and secret."""
        secret = mint_secret()
        version = NewVersion(1, secret.fingerprint, secret.hint, clock() - age)
        key_id = mint_key_id()
        traits = KeyTraits(f"k{key_id[4:]}", scopes=scopes, expires_at=expires_at)
        [done] = self.service.register_many([NewKey(key_id, traits, version)])  # which takes one that has expired too
        assert done.created
        return key_id, secret

    def ask(self, method: str, path: str, body: Any, authorization: str | None, **more: str) -> tuple[int, Any]:
        """The status, and what the body says."""
        connection = HTTPConnection(self.address, timeout=20)
        headers = {"Authorization": authorization} if authorization is not None else {}
        try:
            connection.request(
                method, f"/admin/v1{path}", None if body is None else json.dumps(body), {**headers, **more}
            )
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    services = Services(lambda account: SqliteStore(tmp_path / "keys.db", account=account), clock)
    store = SqliteStore(tmp_path / "keys.db", account=DEFAULT_ACCOUNT)
    service = KeyService(store, clock=clock, actor="test")
    with serving(Application(Parts(services, StoreAuthenticator(services, clock), clock))) as url:
        yield House(url.removeprefix("http://"), service)
    store.close()


def code_of(data: Any) -> str | None:
    error = data.get("error")
    return error["code"] if error else None


def test_the_table_has_every_route() -> None:
    asked = {(method, path.partition("?")[0]) for method, path, _, _ in TABLE.values()}
    named = {(method, path.replace("key_0000000000000077", "{id}")) for method, path in asked}
    routes = {(route.method, route.path.replace("{n}", "1")) for route in ROUTES}
    assert {(method, path.replace("versions/2", "versions/1")) for method, path in named} == routes


@pytest.mark.parametrize("name", TABLE)
def test_a_route_lets_in_who_holds_its_scope_and_nobody_else(house: House, name: str) -> None:
    method, path, body, allowed = TABLE[name]
    for scope in [*(each for each in Scope if each not in allowed), *sorted(allowed)]:
        _, secret = house.key(scope)
        target, _ = house.key(Scope.KEYS_WRITE)
        if name == "find":
            path = f"/keys?ref={target}"
        before = len(house.service.trail(limit=100))
        status, data = house.ask(method, path.format(id=target), body, f"Bearer {secret.reveal()}")
        assert secret.reveal() not in str(data)
        if scope in allowed:
            # What the first of the allowed has done, the others find done.
            assert status in {200, 409}, (scope, data)
        else:
            assert (status, code_of(data)) == (403, "insufficient_permissions"), scope
            assert len(house.service.trail(limit=100)) == before


@pytest.mark.parametrize("name", TABLE)
def test_a_route_wants_a_credential_that_lives(house: House, name: str) -> None:
    method, path, body, _ = TABLE[name]
    target, _ = house.key(Scope.KEYS_WRITE)
    revoked_id, revoked = house.key(Scope.ADMIN)
    house.service.revoke([revoked_id], None)
    _, admin = house.key(Scope.ADMIN)
    _, expired = house.key(Scope.ADMIN, expires_at=clock() - 1)
    ended_id, ended = house.key(Scope.ADMIN)
    house.service.add_version(ended_id, NewVersion(2, mint_secret().fingerprint, HINT, clock()))
    house.service.end_version(ended_id, 1, clock() - 1)
    for authorization, code in [
        (None, "missing_api_key"),
        (f"Bearer {mint_secret().reveal()}", "invalid_api_key"),
        (f"Bearer {admin.reveal()[:-1]}", "invalid_api_key"),
        (f"Basic {admin.reveal()}", "invalid_api_key"),
        ("Bearer ", "invalid_api_key"),
        (f"Bearer {revoked.reveal()}", "expired_api_key"),
        (f"Bearer {expired.reveal()}", "expired_api_key"),
        (f"Bearer {ended.reveal()}", "expired_api_key"),
    ]:
        before = len(house.service.trail(limit=100))
        status, data = house.ask(method, path.format(id=target), body, authorization)
        assert (status, code_of(data)) == (401, code)
        assert len(house.service.trail(limit=100)) == before


# A credential grants no scope that it does not hold


def beyond(house: House, method: str, path: str, body: Any, *held: Scope, **more: str) -> None:
    _, secret = house.key(Scope.KEYS_WRITE, *held)
    before = len(house.service.trail(limit=100))
    status, data = house.ask(method, path, body, f"Bearer {secret.reveal()}", **more)
    assert (status, code_of(data)) == (403, "insufficient_permissions")
    assert len(house.service.trail(limit=100)) == before


@pytest.mark.parametrize("scope", sorted(set(Scope) - {Scope.KEYS_WRITE}))
def test_no_way_leads_to_a_key_with_a_scope_that_the_credential_lacks(house: House, scope: Scope) -> None:
    new = BODY | {"name": "more", "scopes": [scope, "keys:write"]}
    beyond(house, "PUT", "/keys/key_0000000000000077", new)
    beyond(house, "POST", "/keys", {"name": "more", "scopes": [scope]})
    item = BODY | {"id": "key_0000000000000077", "name": "more", "scopes": [scope]}
    beyond(house, "POST", "/keys/import", {"keys": [item]})
    higher, secret = house.key(scope)
    beyond(house, "PUT", f"/keys/{higher}/versions/2", BODY)
    beyond(house, "PATCH", f"/keys/{higher}", {"name": "mine"})
    beyond(house, "PATCH", f"/keys/{higher}/versions/1", {"expires_at": None})
    beyond(house, "DELETE", f"/keys/{higher}/versions/1", None)
    beyond(house, "DELETE", f"/keys/{higher}/versions/1", None, **{"If-Match": f'"{secret.fingerprint}"'})


@pytest.mark.parametrize("scope", sorted(set(Scope) - {Scope.ADMIN}))
def test_who_holds_a_scope_may_grant_it_and_so_may_admin(house: House, scope: Scope) -> None:
    for n, held in enumerate(({Scope.KEYS_WRITE, scope}, {Scope.ADMIN})):
        _, secret = house.key(*sorted(held))
        body = {"name": f"granted-{n}", "scopes": [scope]}
        status, data = house.ask("POST", "/keys", body, f"Bearer {secret.reveal()}")
        assert (status, data["scopes"]) == (200, [scope])


def test_everybody_may_ask_whether_his_own_key_lives_and_of_no_other(house: House) -> None:
    _, secret = house.key(Scope.API)
    for fingerprint, status in [(secret.fingerprint, 200), (sha256(1), 403)]:
        assert house.ask("POST", "/keys/verify", {"sha256": fingerprint}, f"Bearer {secret.reveal()}")[0] == status


# A credential does not outlive its end, and does not end what others live on


@pytest.mark.parametrize("scope", [Scope.KEYS_WRITE, Scope.ADMIN])
def test_no_credential_extends_its_own_life(house: House, scope: Scope) -> None:
    end = clock() + 3600
    its_id, secret = house.key(scope, expires_at=end)
    for longer in (None, end + 1):
        status, data = house.ask("PATCH", f"/keys/{its_id}", {"expires_at": longer}, f"Bearer {secret.reveal()}")
        assert (status, code_of(data)) == (403, "insufficient_permissions")
        assert data["error"]["param"] == "expires_at"
    assert house.service.find(its_id).traits.expires_at == end

    shorter = house.ask("PATCH", f"/keys/{its_id}", {"expires_at": end - 1}, f"Bearer {secret.reveal()}")
    _, other = house.key(Scope.ADMIN)
    extended = house.ask("PATCH", f"/keys/{its_id}", {"expires_at": None}, f"Bearer {other.reveal()}")
    assert (shorter[0], extended[0]) == (200, 200)


def test_no_version_of_a_credential_extends_its_own_life(house: House) -> None:
    its_id, secret = house.key(Scope.ADMIN)
    house.service.add_version(its_id, NewVersion(2, mint_secret().fingerprint, HINT, clock()))
    end = clock() + 3600
    house.service.end_version(its_id, 1, end)
    for longer in (None, end + 1):
        body = {"expires_at": longer}
        assert house.ask("PATCH", f"/keys/{its_id}/versions/1", body, f"Bearer {secret.reveal()}")[0] == 403
    assert house.service.find(its_id).versions[0].expires_at == end


def test_giving_up_what_was_delivered_long_ago_is_revoking_it(house: House) -> None:
    _, writer = house.key(Scope.KEYS_WRITE)
    _, revoker = house.key(Scope.KEYS_WRITE, Scope.KEYS_REVOKE)
    for age, who, status in [(86_000, writer, 200), (86_400, writer, 403), (86_400, revoker, 200)]:
        target, lost = house.key(Scope.KEYS_WRITE, age=age)
        path, match = f"/keys/{target}/versions/1", f'"{lost.fingerprint}"'
        answered, data = house.ask("DELETE", path, None, f"Bearer {who.reveal()}", **{"If-Match": match})
        assert (answered, code_of(data)) == (status, None if status == 200 else "insufficient_permissions")
        assert house.service.find(target).status == ("revoked" if status == 200 else "active")


def test_giving_up_what_is_dead_or_unknown_needs_no_more_than_to_create_it(house: House) -> None:
    _, writer = house.key(Scope.KEYS_WRITE)
    dead, its = house.key(Scope.KEYS_WRITE, age=100_000)
    house.service.revoke([dead], None)
    for key_id, sha in [(dead, its.fingerprint), ("key_0000000000000077", sha256(77))]:
        match = {"If-Match": f'"{sha}"'}
        status, _ = house.ask("DELETE", f"/keys/{key_id}/versions/1", None, f"Bearer {writer.reveal()}", **match)
        assert status == 200
