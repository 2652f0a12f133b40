"""Servers on the loopback that misbehave: one that says whatever it is told to, one that stands before a real one."""

from __future__ import annotations

import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self
from urllib.parse import urlsplit

_HEAD_END: Final = b"\r\n\r\n"
_PATIENCE: Final = 20.0  # of a socket of ours; a test that waits so long has failed


class _Listener(ABC):
    """Takes connections on a port of its own, each in a thread that the end of the block waits for."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.ended = threading.Event()
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []

    @property
    def address(self) -> str:
        host, port = self._listening.getsockname()
        return f"{host}:{port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.address}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for connection in list(self._open):  # a client may keep one for its next request
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(_PATIENCE)
        self._listening.close()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE)
        with connection, suppress(OSError):  # a client that goes away is what some tests are about
            if self._tls is None:
                self._talk(connection)
                return
            with self._tls.wrap_socket(connection, server_side=True) as wrapped:
                self._open.append(wrapped)
                self._talk(wrapped)

    @abstractmethod
    def _talk(self, connection: socket.socket) -> None:
        """What is done with one connection."""

    def _request(self, connection: socket.socket) -> bytes:
        """One whole request, head and body; nothing when the client has gone."""
        data = message(connection)
        if data:
            self.requests.append(data)
        return data


Act = Callable[["Liar", socket.socket], None]


class Liar(_Listener):
    """Answers the n-th request by the n-th act, and every later one by the last. Each connection has one request."""

    def __init__(self, *acts: Act, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self._acts = acts

    def _talk(self, connection: socket.socket) -> None:
        if self._request(connection):
            self._acts[min(len(self.requests), len(self._acts)) - 1](self, connection)


class Keeper(_Listener):
    """The same, where one connection has them all."""

    def __init__(self, *acts: Act) -> None:
        super().__init__()
        self._acts = acts

    def _talk(self, connection: socket.socket) -> None:
        while self._request(connection):
            self._acts[min(len(self.requests), len(self._acts)) - 1](self, connection)  # type: ignore[arg-type]


class Between(_Listener):
    """A proxy before a real server. `swallow` says of the n-th request of a method whether its reply is lost.

    `hold` says of which requests the connection breaks before anything is forwarded: they are kept in `held`.
    """

    def __init__(
        self,
        upstream: str,
        swallow: Callable[[str, int], bool] = lambda method, n: False,
        hold: Callable[[str, int], bool] = lambda method, n: False,
    ) -> None:
        super().__init__()
        self._upstream = urlsplit(upstream)
        self._swallow = swallow
        self._hold = hold
        self._counts: dict[str, int] = {}
        self.swallowed: list[bytes] = []
        self.held: list[bytes] = []

    def deliver(self, request: bytes) -> bytes:
        """What the server answers to a request."""
        assert self._upstream.hostname is not None
        with socket.create_connection((self._upstream.hostname, self._upstream.port or 80), _PATIENCE) as upstream:
            upstream.sendall(request)
            return message(upstream)

    def _talk(self, connection: socket.socket) -> None:
        while request := self._request(connection):
            method = request.partition(b" ")[0].decode()
            n = self._counts[method] = self._counts.get(method, 0) + 1
            if self._hold(method, n):
                self.held.append(request)
                return
            reply = self.deliver(request)
            if self._swallow(method, n):
                self.swallowed.append(reply)
                return
            connection.sendall(reply)


def message(connection: socket.socket) -> bytes:
    """One HTTP message that says how long it is, or has no body; nothing when the other side has gone."""
    data = b""
    while _HEAD_END not in data:
        chunk = connection.recv(1 << 16)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(_HEAD_END)
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields.get(b"content-length", b"0"))
    while len(body) < length:
        chunk = connection.recv(1 << 16)
        if not chunk:
            return b""
        body += chunk
    return head + _HEAD_END + body


# Acts


def says(status: int, body: bytes | str = b"", **headers: str) -> Act:
    """A whole reply; `_` in a header's name is `-`."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    raw = "\r\n".join(lines).encode() + _HEAD_END + content
    return sends(raw)


def sends(raw: bytes) -> Act:
    """These bytes, whatever they are; then the end."""

    def act(_: Liar, connection: socket.socket) -> None:
        connection.sendall(raw)

    return act


def is_silent(liar: Liar, _: socket.socket) -> None:
    """Nothing, until the test has ended."""
    liar.ended.wait(_PATIENCE)


def drips(start: bytes, byte: bytes = b" ") -> Act:
    """A beginning, and then one byte every 0.2 s for ever."""

    def act(liar: Liar, connection: socket.socket) -> None:
        connection.sendall(start)
        while not liar.ended.wait(0.2):
            connection.sendall(byte)

    return act


def resets(_: Liar, connection: socket.socket) -> None:
    """RST in the place of a reply."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def half_closes(liar: Liar, connection: socket.socket) -> None:
    """Says that it will say nothing, and keeps listening."""
    connection.shutdown(socket.SHUT_WR)
    liar.ended.wait(_PATIENCE)
