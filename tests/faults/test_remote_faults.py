"""The remote transport and servers that misbehave: the right class, and nothing said of a key that is not so."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from routic_cli.domain.errors import (
    CredentialError,
    ExpiredCredentialError,
    InsufficientScopeError,
    InvalidCredentialError,
    InvalidRequestError,
    KeyExistsError,
    KeyGoneError,
    KeyNotFoundError,
    NameTakenError,
    OutcomeUnknownError,
    RateLimitedError,
    RouticError,
    StoreLockedError,
    UnavailableError,
)
from routic_cli.domain.keys import Key, KeyChanges, KeyQuery, KeyStatus, VerdictStatus
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.secret import Fingerprint
from routic_cli.server.app import Application, Parts
from routic_cli.server.services import Services
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport import exchange
from routic_cli.transport.exchange import ATTEMPTS, Timeouts
from routic_cli.transport.interface import Transport
from routic_cli.transport.remote import RemoteTransport
from routic_cli.transport.wire.errors import error_object, http_status
from routic_cli.transport.wire.objects import key_object
from tests.support.certificates import Authority
from tests.support.hostile import (
    Act,
    Between,
    Keeper,
    Liar,
    drips,
    half_closes,
    is_silent,
    resets,
    says,
    sends,
)
from tests.support.keys import key_id, new_key, new_version, sha256
from tests.support.server import Doorman, serving

SHORT: Final = Timeouts(connect=0.3, silence=0.3, attempt=0.5)
PATIENT: Final = Timeouts(connect=5, silence=5, attempt=10)
JSON: Final = {"Content_Type": "application/json"}
HTML: Final = "<html><body>Bad gateway</body></html>"


def clock() -> int:
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Ground:
    """A real server, and a transport that nothing stands before."""

    url: str
    doorman: Doorman
    transport: RemoteTransport


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_BACKOFF_SECONDS", 0.01)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    services = Services(lambda account: SqliteStore(tmp_path / "keys.db", account=account), clock)
    doorman = Doorman()
    with serving(Application(Parts(services, doorman, clock))) as url:
        transport = RemoteTransport(url, doorman.admit("ours"))
        yield Ground(url, doorman, transport)
        transport.close()


@pytest.fixture
def asking(request: pytest.FixtureRequest) -> Callable[..., RemoteTransport]:
    """Makes transports, each with a token that nothing knows unless it is given."""

    def make(url: str, *, ground: Ground | None = None, **options: Any) -> RemoteTransport:
        token = ground.doorman.admit("ours") if ground else mint_secret()
        transport = RemoteTransport(url, token, **{"timeouts": SHORT, **options})
        request.addfinalizer(transport.close)
        return transport

    return make


def said(error: RouticError) -> str:
    return ". ".join(error.sentences())


def the_key(n: int, **more: Any) -> dict[str, Any]:
    """A key object as the API has it, with fields replaced."""
    from routic_cli.domain.keys import KeyTraits, KeyVersion

    new = new_key(n)
    version = KeyVersion(1, new.version.sha256, new.version.hint, new.version.created_at)
    key = Key(new.id, KeyTraits(new.traits.name), KeyStatus.ACTIVE, (version,), new.version.created_at)
    return {**key_object(key, clock()), **more}


# Every change, and a look: what each is asked with, and what its reply has.

CHANGES: Final[dict[str, Callable[[Transport], object]]] = {
    "register": lambda transport: transport.register(new_key(1)),
    "register many": lambda transport: transport.register_many([new_key(1)]),
    "change": lambda transport: transport.change(key_id(1), KeyChanges(rpm=5)),
    "add a version": lambda transport: transport.add_version(key_id(1), new_version(1, 2)),
    "end a version": lambda transport: transport.end_version(key_id(1), 1, None),
    "give up": lambda transport: transport.give_up(key_id(1), 1, sha256(1)),
    "revoke": lambda transport: transport.revoke([key_id(1)], None),
}
LOOKS: Final[dict[str, Callable[[Transport], object]]] = {
    "find": lambda transport: transport.find("key-1"),
    "page": lambda transport: transport.page(KeyQuery()),
    "tally": lambda transport: transport.tally(KeyQuery()),
    "verify": lambda transport: transport.verify(sha256(1)),
    "trail": lambda transport: transport.trail(limit=5),
    "require writable": lambda transport: transport.require_writable(),
}
ALL: Final = {**CHANGES, **LOOKS}


# A reply that is lost on its way


@pytest.mark.parametrize("name", CHANGES)
def test_a_lost_reply_is_asked_for_again_and_the_change_was_made_once(
    ground: Ground, asking: Callable[..., RemoteTransport], name: str
) -> None:
    if not name.startswith("register"):
        ground.transport.register(new_key(1))
    before = len(ground.transport.trail(limit=10))
    with Between(ground.url, swallow=lambda method, n: n == 1) as between:
        CHANGES[name](asking(between.url, ground=ground, timeouts=PATIENT))
        assert (len(between.swallowed), between.connections) == (1, 2)
        assert between.swallowed[0].startswith(b"HTTP/1.1 200 ")
        first, second = between.requests
        assert first == second
    made = len(ground.transport.trail(limit=10)) - before
    assert made == (0 if name == "end a version" else 1)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_whose_replies_are_all_lost_is_unknown_and_never_said_not_to_have_been_made(
    ground: Ground, asking: Callable[..., RemoteTransport], name: str
) -> None:
    if not name.startswith("register"):
        ground.transport.register(new_key(1))
    with Between(ground.url, swallow=lambda method, n: True) as between:
        with pytest.raises(OutcomeUnknownError) as caught:
            CHANGES[name](asking(between.url, ground=ground, timeouts=PATIENT))
        assert len(between.swallowed) == ATTEMPTS
        assert all(reply.startswith(b"HTTP/1.1 200 ") for reply in between.swallowed)
    assert caught.value.not_done == "It may or may not have been made"
    assert "othing" not in said(caught.value)
    if name.startswith("register"):  # the server did it
        assert ground.transport.verify(sha256(1)).status is VerdictStatus.ACTIVE
    if name in {"revoke", "give up"}:
        assert ground.transport.verify(sha256(1)).status is VerdictStatus.REVOKED


def test_revoke_whose_first_reply_is_lost_says_that_it_has_revoked(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    for n in (1, 2):
        ground.transport.register(new_key(n))
    with Between(ground.url, swallow=lambda method, n: n == 1) as between:
        transport = asking(between.url, ground=ground, timeouts=PATIENT)
        results = transport.revoke([key_id(1), sha256(2), sha256(1), key_id(9)], "leaked")
        assert [result.changed for result in results] == [True, True, False, False]
        assert [result.changed for result in transport.revoke([key_id(1)], None)] == [False]


def test_a_lookup_whose_replies_are_all_lost_changed_nothing(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    with Between(ground.url, swallow=lambda method, n: True) as between:
        for look in LOOKS.values():
            with pytest.raises(UnavailableError) as caught:
                look(asking(between.url, ground=ground))
            assert (type(caught.value), caught.value.not_done) == (UnavailableError, "Nothing was changed")


def test_a_request_that_was_held_up_cannot_bring_a_key_called_dead_to_life(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    with Between(ground.url, hold=lambda method, n: method == "PUT") as between:
        transport = asking(between.url, ground=ground)
        with pytest.raises(OutcomeUnknownError):
            transport.register(new_key(1))
        transport.give_up(key_id(1), 1, sha256(1))
        late = between.deliver(between.held[0])
    assert late.startswith(b"HTTP/1.1 410 ")
    assert ground.transport.verify(sha256(1)).status is VerdictStatus.UNKNOWN
    with pytest.raises(KeyNotFoundError):
        ground.transport.find(key_id(1))


def test_a_version_that_was_held_up_cannot_come_to_life_either(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    ground.transport.register(new_key(1))
    with Between(ground.url, hold=lambda method, n: method == "PUT") as between:
        transport = asking(between.url, ground=ground)
        with pytest.raises(OutcomeUnknownError):
            transport.add_version(key_id(1), new_version(1, 2))
        transport.give_up(key_id(1), 2, sha256(1, 2))
        assert between.deliver(between.held[0]).startswith(b"HTTP/1.1 410 ")
    assert [version.number for version in ground.transport.find(key_id(1)).versions] == [1]
    assert ground.transport.verify(sha256(1)).status is VerdictStatus.ACTIVE


def test_an_answer_after_a_lost_one_counts_only_where_it_tells_what_became_of_the_first(
    asking: Callable[..., RemoteTransport],
) -> None:
    for refusal, kind in [
        (error(InvalidCredentialError("The credential is not known")), OutcomeUnknownError),
        (error(StoreLockedError("The store is locked")), OutcomeUnknownError),
        (says(302, Location="https://elsewhere.example/"), OutcomeUnknownError),
        (error(KeyGoneError("The key is revoked")), KeyGoneError),
    ]:
        with Liar(resets, refusal) as liar, pytest.raises(RouticError) as caught:
            asking(liar.url).register(new_key(1))
        assert type(caught.value) is kind, said(caught.value)


# Servers that are slow, silent or gone


@pytest.mark.parametrize("name", ["register", "change", "find"])
@pytest.mark.parametrize(
    "act",
    [
        is_silent,
        half_closes,
        resets,
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        drips(b"", b"H"),
        sends(b""),
    ],
    ids=["silent", "half closed", "reset", "dripping body", "dripping head", "dripping line", "closed"],
)
def test_a_server_that_gives_no_whole_reply_leaves_a_change_unknown(
    asking: Callable[..., RemoteTransport], act: Act, name: str
) -> None:
    with Liar(act) as liar, pytest.raises(UnavailableError) as caught:
        ALL[name](asking(liar.url))
    assert liar.connections == ATTEMPTS
    assert type(caught.value) is (UnavailableError if name == "find" else OutcomeUnknownError)


def test_a_connection_that_is_used_again_has_a_deadline_too(asking: Callable[..., RemoteTransport]) -> None:
    good = says(200, json.dumps({"object": "list", "data": [the_key(1)], "has_more": False}), **JSON)
    with Keeper(good, drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x")) as keeper:
        transport = asking(keeper.url)
        assert transport.find("key-1").id == key_id(1)
        with pytest.raises(UnavailableError, match="gave no answer") as caught:
            transport.find("key-1")
        assert (keeper.connections, "longer than we wait" in said(caught.value)) == (ATTEMPTS, True)


def test_where_nobody_listens_nothing_was_sent(asking: Callable[..., RemoteTransport]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    for ask in ALL.values():
        with pytest.raises(UnavailableError) as caught:
            ask(asking(url))
        assert (type(caught.value), caught.value.not_done) == (UnavailableError, "Nothing was sent")
        assert "refused" in caught.value.why


def test_a_server_that_comes_back_is_asked_again(ground: Ground, asking: Callable[..., RemoteTransport]) -> None:
    locked = error(StoreLockedError("The store is locked"), Retry_After="0")
    good = says(200, json.dumps(the_key(1)), **JSON)
    for first in (locked, says(503, HTML), says(502, HTML), says(429, HTML, Retry_After="0")):
        with Liar(first, good) as liar:
            assert asking(liar.url).register(new_key(1)).id == key_id(1)
            assert len(liar.requests) == 2


# Certificates


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"selfsigned": True}, "self-signed|self signed"),
        ({"name": "other.example"}, "not valid for '127.0.0.1'"),
        ({"ended": True}, "expired"),
    ],
    ids=["self-signed", "wrong name", "expired"],
)
def test_a_wrong_certificate_is_refused_once_before_anything_is_sent(
    tmp_path: Path, asking: Callable[..., RemoteTransport], options: dict[str, Any], problem: str
) -> None:
    authority = Authority.found(tmp_path)
    with Liar(says(200, "{}"), tls=authority.server(**options)) as liar:
        for ask in (CHANGES["register"], LOOKS["find"]):
            with pytest.raises(UnavailableError, match="could not be reached") as caught:
                ask(asking(liar.url, ca_file=authority.file, timeouts=PATIENT))
            assert (type(caught.value), caught.value.not_done) == (UnavailableError, "Nothing was sent")
            assert "not to be trusted" in caught.value.why
            assert re.search(problem, caught.value.why)
        assert (liar.connections, liar.requests) == (2, [])


def test_an_authority_that_nobody_named_is_not_trusted_and_the_named_one_alone_is(
    tmp_path: Path, asking: Callable[..., RemoteTransport]
) -> None:
    authority, other = Authority.found(tmp_path), Authority.found(tmp_path, "other")
    good = says(200, json.dumps(the_key(1)), **JSON)
    with Liar(good, tls=authority.server()) as liar:
        for trusted in (None, other.file):
            with pytest.raises(UnavailableError, match="could not be reached"):
                asking(liar.url, ca_file=trusted, timeouts=PATIENT).register(new_key(1))
        assert liar.requests == []
        assert asking(liar.url, ca_file=authority.file, timeouts=PATIENT).register(new_key(1)).id == key_id(1)


def test_plain_http_at_an_https_address_sends_nothing(asking: Callable[..., RemoteTransport]) -> None:
    with Liar(says(200, "{}")) as liar, pytest.raises(UnavailableError) as caught:
        asking(liar.url.replace("http:", "https:")).register(new_key(1))
    assert (type(caught.value), caught.value.not_done) == (UnavailableError, "Nothing was sent")


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_named_and_not_followed(asking: Callable[..., RemoteTransport], status: int) -> None:
    with Liar(says(200, "{}")) as target, Liar(says(status, Location=f"{target.url}/admin/v1/keys")) as liar:
        for ask in ALL.values():
            with pytest.raises(UnavailableError, match="redirects to http://127") as caught:
                ask(asking(liar.url))
            assert (type(caught.value), caught.value.not_done) == (UnavailableError, "Nothing was done")
        assert (len(liar.requests), target.connections) == (len(ALL), 0)


@pytest.mark.parametrize("location", ["/elsewhere", "", "//other.example/", "http://[", "x" * 3000])
def test_a_redirect_to_anywhere_ends_in_an_error_of_ours(asking: Callable[..., RemoteTransport], location: str) -> None:
    with Liar(says(302, Location=location)) as liar, pytest.raises(UnavailableError):
        asking(liar.url).register(new_key(1))


# Replies that the API does not make


def error(what: RouticError, **headers: str) -> Act:
    """The API's own reply for an error."""
    return says(http_status(what), json.dumps(error_object(what)), **JSON, **headers)


def listed(**more: object) -> str:
    return json.dumps({"object": "list", "data": [], "has_more": False, **more})


GARBAGE: Final[dict[str, Act]] = {
    "500": says(500),
    "500 of a proxy": says(500, HTML),
    "502": says(502, HTML),
    "503": says(503, HTML),
    "500 with our error": error(RouticError("Internal error: KeyError")),
    "503 with a gateway's error": says(503, json.dumps({"error": {"message": "no upstream", "code": "overloaded"}})),
    "unknown outcome": error(OutcomeUnknownError("The commit failed")),
    "204": says(204),
    "200 of a portal": says(200, "<html>Log in</html>"),
    "200 and no body": says(200),
    "200 and no object": says(200, "[]"),
    "200 and an empty object": says(200, "{}"),
    "200 and another object": says(200, json.dumps({"ok": True})),
    "200 and an error": says(200, json.dumps({"error": {"message": "no", "code": "key_not_found"}})),
    "truncated JSON": says(200, json.dumps(the_key(1))[:-20]),
    "half a reply": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + json.dumps(the_key(1)).encode()[:300]),
    "no HTTP": sends(b"220 mail.example ESMTP\r\n"),
    "no status": sends(b"HTTP/1.1 abc\r\n\r\n"),
    "binary": says(200, bytes(range(256))),
    "too deep": says(200, "[" * 100_000),
    "too long a number": says(200, '{"id":' + "9" * 10_000 + "}"),
    "no id": says(200, json.dumps(the_key(1, id=None))),
    "another key": says(200, json.dumps(the_key(2))),
    "no versions": says(200, json.dumps(the_key(1, versions=[]))),
    "versions of another type": says(200, json.dumps(the_key(1, versions="1"))),
    "an unknown status": says(200, json.dumps(the_key(1, status="sleeping"))),
    "a time of another type": says(200, json.dumps(the_key(1, created_at="yesterday"))),
    "a list that is none": says(200, listed(data={})),
    "a list of numbers": says(200, listed(data=[1])),
    "a list too long": says(200, listed(data=[the_key(1), the_key(2)])),
    "gzip": says(200, gzip.compress(json.dumps(the_key(1)).encode()), Content_Encoding="gzip"),
}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_reply_that_is_not_the_apis_leaves_a_change_unknown_and_confirms_nothing(
    asking: Callable[..., RemoteTransport], garbage: str
) -> None:
    with Liar(GARBAGE[garbage]) as liar:
        for name, change in CHANGES.items():
            with pytest.raises(OutcomeUnknownError) as caught:
                change(asking(liar.url))
            assert "othing was" not in said(caught.value), name
        with pytest.raises(UnavailableError) as looked:
            asking(liar.url).find("key-1")
        assert type(looked.value) is UnavailableError
        assert len(liar.requests) == ATTEMPTS * (len(CHANGES) + 1)


@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "gzip"}], ids=["plain", "gzip"])
def test_a_reply_without_end_is_not_read_to_its_end(
    asking: Callable[..., RemoteTransport], monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(exchange, "_LARGEST_REPLY", 1 << 18)
    with Liar(says(200, b" " * (1 << 20), **headers)) as liar, pytest.raises(OutcomeUnknownError) as caught:
        asking(liar.url, timeouts=PATIENT).register(new_key(1))
    assert "larger than any" in caught.value.why


def test_a_reply_that_would_unpack_to_gigabytes_is_not_unpacked(asking: Callable[..., RemoteTransport]) -> None:
    import tracemalloc

    bomb = gzip.compress(b" " * (100 << 20))
    with Liar(says(200, bomb, Content_Encoding="gzip")) as liar:
        tracemalloc.start()
        with pytest.raises(UnavailableError):
            asking(liar.url, timeouts=PATIENT).find("key-1")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert b"accept-encoding: identity" in liar.requests[0].lower()
    assert peak < 20 << 20


# Refusals that can be known


@pytest.mark.parametrize(
    "kind",
    [
        InvalidCredentialError, ExpiredCredentialError, InsufficientScopeError, NameTakenError, KeyExistsError,
        KeyGoneError, KeyNotFoundError, InvalidRequestError, StoreLockedError, RateLimitedError,
    ],
)  # fmt: skip
def test_the_apis_own_errors_arrive_as_the_classes_that_they_are(
    asking: Callable[..., RemoteTransport], kind: type[RouticError]
) -> None:
    refusal = kind("What", why="Why", not_done="No key was created", remedy="routic keys list", param="name")
    with Liar(error(refusal, Retry_After="0")) as liar:
        for ask in ALL.values():
            liar.requests.clear()
            with pytest.raises(kind) as caught:
                ask(asking(liar.url))
            assert type(caught.value) is kind
            assert vars(caught.value) == vars(refusal)
            assert len(liar.requests) == (ATTEMPTS if issubclass(kind, UnavailableError) else 1)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, HTML, CredentialError),
        (403, HTML, CredentialError),
        (407, HTML, CredentialError),
        (404, HTML, UnavailableError),
        (404, json.dumps({"error": {"message": "There is nothing", "code": "not_found"}}), UnavailableError),
        (400, HTML, UnavailableError),
        (409, HTML, UnavailableError),
        (410, HTML, UnavailableError),
        (413, HTML, InvalidRequestError),
        (413, json.dumps({"error": {"message": "Too large", "code": "body_too_large"}}), InvalidRequestError),
    ],
)
def test_what_something_else_refuses_is_not_taken_for_an_answer_about_a_key(
    asking: Callable[..., RemoteTransport], status: int, body: str, kind: type[RouticError]
) -> None:
    with Liar(says(status, body)) as liar:
        for ask in ALL.values():
            with pytest.raises(kind) as caught:
                ask(asking(liar.url))
            assert (type(caught.value), caught.value.not_done) == (kind, "Nothing was done")
            assert "html" not in said(caught.value)
        assert len(liar.requests) == len(ALL)


def test_no_reply_can_make_an_error_repeat_the_credential(asking: Callable[..., RemoteTransport]) -> None:
    token = mint_secret()
    transport = RemoteTransport("http://127.0.0.1:1", token, timeouts=SHORT)
    transport.close()
    for act in (says(200, token.reveal()), says(500, token.reveal()), says(302, Location=f"/{token.reveal()}")):
        with Liar(act) as liar, pytest.raises(RouticError) as caught:
            asking(liar.url).register(new_key(1))
        assert token.reveal() not in said(caught.value) + caught.value.remedy


def test_fingerprints_are_all_that_is_sent_of_a_secret(asking: Callable[..., RemoteTransport]) -> None:
    secret = mint_secret()
    with Liar(says(503, HTML)) as liar:
        with pytest.raises(UnavailableError):
            asking(liar.url).verify(Fingerprint(secret.fingerprint))
        assert all(secret.reveal().encode() not in request for request in liar.requests)
