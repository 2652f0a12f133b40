"""The remote transport and replies that the API does not make, or that refuse: the right class, nothing repeated."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Final

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
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.secret import Fingerprint
from routic_cli.transport import exchange
from routic_cli.transport.exchange import ATTEMPTS
from routic_cli.transport.remote import RemoteTransport
from tests.support.hostile import (
    Act,
    Liar,
    says,
    sends,
)
from tests.support.keys import new_key
from tests.support.remote_faults import ALL, CHANGES, HTML, PATIENT, SHORT, error, said, the_key

# Replies that the API does not make


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
