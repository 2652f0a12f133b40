"""Listening: the socket, the workers, and an end that lets requests in flight finish."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.server import server_log
from routic_cli.server.quick_protocol import QuickProtocol
from routic_cli.server.settings import Settings

_BACKLOG: Final = 2048
_APPLICATION: Final = "routic_cli.server.worker:application"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how to listen. `grace` is how many seconds requests in flight have when the server is told to end."""

    host: str
    port: int
    workers: int
    certificate: Path | None = None
    private_key: Path | None = None
    grace: int = 30


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; RouticError when the address is taken or not ours."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise RouticError(
            f"{host}:{port} cannot be listened on",
            why=error.strerror or str(error),
            not_done="No server was started",
            remedy="routic serve --port 0, for any free port",
        ) from error


def serve(settings: Settings, listening: Listening, bound: socket.socket, started: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight finish first. `started` runs once, when clients may come."""
    settings.to_environment()
    server_log.install()
    config = _configuration(listening)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal once more when it has ended well: that is not for Python to die of.
        signal.signal(number, _ignore)
    if listening.workers == 1:
        _Server(config, started).run(sockets=[bound])
        return
    from uvicorn.supervisors import Multiprocess

    with tempfile.TemporaryDirectory(prefix="routic-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # where the workers add up what they count
        started()
        Multiprocess(config, [bound]).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell()


def _ignore(_: int, __: FrameType | None) -> None:
    """What a signal does that has been obeyed already."""


def _configuration(listening: Listening) -> uvicorn.Config:
    try:
        config = uvicorn.Config(
            _APPLICATION,
            factory=True,
            workers=listening.workers,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # whom to believe is for the auth endpoint to judge
            http=QuickProtocol,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=listening.grace,
            ssl_certfile=listening.certificate,
            ssl_keyfile=listening.private_key,
        )
        config.load_app()
        if listening.certificate is not None:
            config.load()
    except OSError as error:
        raise InvalidRequestError(
            "The certificate or its private key could not be read",
            why=error.strerror or str(error),
            not_done="No server was started",
        ) from error
    return config
