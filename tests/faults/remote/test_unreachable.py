"""The remote transport and servers that are slow, silent, gone, or not who they should be."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routic_cli.domain.errors import (
    OutcomeUnknownError,
    StoreLockedError,
    UnavailableError,
)
from routic_cli.transport.exchange import ATTEMPTS
from routic_cli.transport.remote import RemoteTransport
from tests.support.certificates import Authority
from tests.support.hostile import (
    Act,
    Keeper,
    Liar,
    drips,
    half_closes,
    is_silent,
    resets,
    says,
    sends,
)
from tests.support.keys import key_id, new_key
from tests.support.remote_faults import ALL, CHANGES, HTML, JSON, LOOKS, PATIENT, Ground, error, said, the_key

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
