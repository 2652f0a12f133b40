"""What the admin API answers when something is out of the ordinary: always an object, always inert."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from routic_cli.domain import errors
from routic_cli.domain.traffic import TrafficQuery
from routic_cli.server import openapi
from routic_cli.server.app import Application, Parts
from routic_cli.server.replies import BODY_TOO_LARGE
from routic_cli.server.server_log import LOGGER
from routic_cli.server.services import Services
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport.remote import RemoteTransport
from routic_cli.transport.wire.errors import error_from
from tests.support.keys import NOW
from tests.support.sandbox import DEADLINE
from tests.support.server import Doorman, serving


@pytest.fixture
def doorman() -> Doorman:
    return Doorman()


@pytest.fixture
def application(doorman: Doorman, tmp_path: Path) -> Application:
    services = Services(lambda account: SqliteStore(tmp_path / "keys.db", account=account), lambda: NOW)
    return Application(Parts(services, doorman, lambda: NOW))


@pytest.fixture
def server(application: Application) -> Iterator[str]:
    with serving(application) as url:
        yield url


def raw(url: str, request: bytes) -> socket.socket:
    """A connection on which these bytes have been sent."""
    parts = urlsplit(url)
    connection = socket.create_connection((str(parts.hostname), int(parts.port or 0)), DEADLINE)
    connection.sendall(request)
    return connection


def read(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of all that comes until the other side closes."""
    with connection:
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    return head, body


def post(doorman: Doorman, path: str, body: bytes, *, announced: int | None = None) -> bytes:
    token = doorman.admit("ours").reveal()
    length = len(body) if announced is None else announced
    return (
        f"POST /admin/v1{path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\nX-Request-Id: abc\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def test_a_body_that_never_ends_is_answered_with_an_error_object_when_the_server_ends(
    application: Application, doorman: Doorman
) -> None:
    with serving(application, grace=1) as url:
        connection = raw(url, post(doorman, "/keys", b"{", announced=100))
        # Answered only after the head of ours has come: the server knows of both.
        read(raw(url, b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"))
    head, body = read(connection)

    assert head.startswith(b"HTTP/1.1 503")
    assert b"x-request-id: abc" in head.lower()
    error = json.loads(body)["error"]
    assert (error["code"], error["not_done"]) == ("unavailable", "Nothing was done")


@pytest.mark.parametrize("evil", ["\u202e", "\u2066", "\x7f", "\x9b", "\u200b"])
def test_no_reply_has_a_character_that_acts_on_a_terminal(server: str, doorman: Doorman, evil: str) -> None:
    for content in ({"name": f"a{evil}b"}, {"name": "x", "tags": {f"a{evil}b": "v"}}, {"name": "x", f"f{evil}": 1}):
        head, body = read(raw(server, post(doorman, "/keys", json.dumps(content, ensure_ascii=False).encode())))
        assert head.startswith(b"HTTP/1.1 400")
        assert evil.encode() not in body
        assert body.isascii()
        assert json.loads(body)["error"]["code"].startswith("invalid_")


def test_a_name_in_another_script_comes_back_as_it_was(server: str, doorman: Doorman) -> None:
    _, body = read(raw(server, post(doorman, "/keys", json.dumps({"name": "clé-ключ"}).encode())))
    assert json.loads(body)["name"] == "clé-ключ"


def test_a_body_that_is_too_large_is_refused_by_a_code_that_no_error_class_has(server: str, doorman: Doorman) -> None:
    head, body = read(raw(server, post(doorman, "/keys", b" " * ((1 << 20) + 1))))
    assert head.startswith(b"HTTP/1.1 413")
    data = json.loads(body)
    assert data["error"]["code"] == BODY_TOO_LARGE
    told = error_from(data, 413)
    assert told is not None
    assert type(told).__module__ == errors.__name__


def test_an_address_that_a_server_does_not_have_is_told_from_another_program(server: str, doorman: Doorman) -> None:
    transport = RemoteTransport(f"{server}/older", doorman.admit("ours"))  # nothing below it, as below routes to come
    with closing(transport), pytest.raises(errors.RouticError, match="does not have this yet") as caught:
        transport.usage.summary(TrafficQuery(()))
    assert (type(caught.value), caught.value.exit_code) == (errors.RouticError, 1)
    assert caught.value.remedy.startswith("pip install --upgrade routic")


def test_a_mistake_of_ours_is_answered_with_an_object_and_logged_once_with_the_id_of_its_request(
    doorman: Doorman, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_: Request) -> Response:
        raise ValueError("what the request said")

    services = Services(lambda account: SqliteStore(tmp_path / "keys.db", account=account), lambda: NOW)
    parts = Parts(services, doorman, lambda: NOW, extra_routes=[Route("/fails", fails)])
    with serving(Application(parts)) as url:
        head, body = read(
            raw(url, b"GET /fails HTTP/1.1\r\nHost: here\r\nX-Request-Id: abc\r\nConnection: close\r\n\r\n")
        )

    assert head.startswith(b"HTTP/1.1 500")
    assert json.loads(body)["error"]["what"] == "Internal error: ValueError"
    [record] = [record for record in caplog.records if record.exc_info]
    assert (record.name, record.__dict__["request_id"]) == (LOGGER, "abc")


def test_the_document_is_made_once(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def again() -> Any:
        raise AssertionError("it is made for each request")

    monkeypatch.setattr(openapi, "document", again)
    monkeypatch.setattr("routic_cli.server.app.document", again)
    with serving(application) as url:
        head, body = read(raw(url, b"GET /openapi.json HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"))
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["openapi"] == "3.1.0"
