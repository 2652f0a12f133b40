"""A real server behind a network that can be cut, and a client of any server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from routic_cli.domain.minting import mint_secret
from routic_cli.server.app import Application, Parts
from routic_cli.server.services import Services
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport import exchange
from routic_cli.transport.remote import RemoteTransport
from tests.support.remote_faults import SHORT, Ground, clock
from tests.support.server import Doorman, serving


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
