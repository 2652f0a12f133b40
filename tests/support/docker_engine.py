"""As much of a Docker engine as `docker create` talks to: it writes down what the client has read from its files."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

_IDENTIFIER: Final = "0" * 64


class DockerEngine(socketserver.ThreadingUnixStreamServer):
    """Listens on a socket below a folder. `created` has the body of each request to create a container."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.address = f"unix://{folder / 'engine.sock'}"
        self.created: list[dict[str, Any]] = []
        super().__init__(str(folder / "engine.sock"), _Request)


class _Request(BaseHTTPRequestHandler):
    server: DockerEngine

    def address_string(self) -> str:
        return "the client"  # a Unix socket has no addresses

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(200, None)

    def do_GET(self) -> None:
        self._answer(200, {"ApiVersion": "1.41", "Os": "linux", "Arch": "amd64"})

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.created.append(json.loads(body))
        self._answer(201, {"Id": _IDENTIFIER, "Warnings": []})

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()

    def _answer(self, status: int, body: dict[str, Any] | None) -> None:
        data = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        self.send_header("API-Version", "1.41")
        self.send_header("OSType", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def docker_engine(folder: Path) -> Iterator[DockerEngine]:
    """An engine that runs until the end of the block."""
    with DockerEngine(folder) as engine:
        thread = threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield engine
        finally:
            engine.shutdown()
            thread.join()
