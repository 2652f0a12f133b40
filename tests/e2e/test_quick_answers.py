"""What the server answers without a task is what HTTP asks for: pipelines, HEAD, HTTP/1.0, bodies that nobody reads."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator

import pytest

from tests.support.gateways import routic_serve
from tests.support.sandbox import DEADLINE, Sandbox

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """Host and port, and a key."""
    key = sandbox.ok("keys", "create", "--name", "quick").secret
    with routic_serve(sandbox) as serving:
        yield serving.url.removeprefix("http://"), key


def said(place: str, *requests: str) -> bytes:
    """All that comes back to requests sent in one piece, the last of which closes the connection."""
    host, _, port = place.partition(":")
    with socket.create_connection((host, int(port)), DEADLINE) as connection:
        connection.sendall("".join(requests).encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def ask(key: str, *, method: str = "GET", path: str = "/auth", version: str = "1.1", more: str = "") -> str:
    return f"{method} {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{more}\r\n"


def test_a_pipeline_is_answered_in_its_order_whoever_answers(server: tuple[str, str]) -> None:
    place, key = server
    end = ask(key, more="Connection: close\r\n")

    text = said(
        place, ask(key), ask("sk-no"), ask(key, path="/healthz"), ask(key), ask("sk-no"), ask(key, path="/x"), end
    )

    assert _STATUS.findall(text) == [b"200", b"401", b"200", b"200", b"401", b"404", b"200"]


def test_a_very_long_pipeline_behind_a_slow_answer_is_answered_too(server: tuple[str, str]) -> None:
    place, key = server
    count = 3000

    text = said(place, ask(key, path="/readyz"), *[ask(key)] * count, ask(key, more="Connection: close\r\n"))

    assert _STATUS.findall(text) == [b"200"] * (count + 2)


def test_head_has_no_body_and_the_length_of_one(server: tuple[str, str]) -> None:
    place, _ = server

    head, _, body = said(place, ask("sk-no", method="HEAD", more="Connection: close\r\n")).partition(b"\r\n\r\n")

    assert body == b""
    assert int(dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"]) > 100


def test_http_1_0_and_connection_close_end_the_connection_and_say_so(server: tuple[str, str]) -> None:
    place, key = server

    for request in (ask(key, version="1.0"), ask(key, more="Connection: close\r\n")):
        text = said(place, request)  # which reads up to the end
        assert text.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nconnection: close\r\n" in text


def test_a_body_is_not_taken_for_the_next_request(server: tuple[str, str]) -> None:
    place, key = server
    connection = http.client.HTTPConnection(place, timeout=DEADLINE)
    for body in (b"GET /healthz HTTP/1.1\r\n\r\n", b"x" * 300_000, b""):
        connection.request("POST", "/auth", body, {"Authorization": f"Bearer {key}"})
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (200, b"")
        assert reply.headers["x-routic-key-name"] == "quick"
    connection.close()


def test_every_header_comes_once_and_the_date_is_there(server: tuple[str, str]) -> None:
    place, key = server
    connection = http.client.HTTPConnection(place, timeout=DEADLINE)
    for token in (key, "sk-no"):
        connection.request("GET", "/auth", headers={"Authorization": f"Bearer {token}", "X-Request-Id": "abc"})
        reply = connection.getresponse()
        reply.read()
        names = [name.lower() for name, _ in reply.getheaders()]
        assert len(names) == len(set(names))
        assert {"date", "cache-control", "content-length"} <= set(names)
        assert reply.headers["x-request-id"] == "abc"
    connection.close()
