"""An end to an attempt, whatever a server does: a byte now and then outlasts every time-out for silence."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self


class Deadline:
    """Shuts the connection down after `seconds`; whoever waits for it gets an error then, and finds `passed` set.

    httpx has time-outs for silence only. `watch` is a callback for its `trace` extension, which shows the sockets of
    new connections; `last` is the socket of the one that may be used again.
    """

    def __init__(self, seconds: float, last: socket.socket | None = None) -> None:
        self.passed = False
        self.socket = last
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the socket that the request goes through."""
        stream = info.get("return_value") if event.endswith(("connect_tcp.complete", "start_tls.complete")) else None
        if stream is not None:
            self.socket = stream.get_extra_info("socket")
            if self.passed:
                self._shut()

    def _shut(self) -> None:
        self.passed = True
        if self.socket is not None:
            with suppress(OSError):  # it is closed already
                # Of the plain socket: what TLS would still want to say needs the peer's co-operation.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
