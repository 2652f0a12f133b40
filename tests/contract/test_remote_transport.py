"""The remote transport keeps the contract over a real socket, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routic_cli.server.app import Application, Parts
from routic_cli.server.services import Services
from routic_cli.store.interface import TrailEntry
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport.interface import Transport
from routic_cli.transport.remote import RemoteTransport
from tests.contract.transport_contract import TransportContract
from tests.contract.transport_fixtures import Clock, TrailOf, TransportOf
from tests.support.server import Doorman, serving


class TestRemoteTransport(TransportContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def doorman(self) -> Doorman:
        return Doorman()

    @pytest.fixture
    def base_url(self, clock: Clock, doorman: Doorman, tmp_path: Path) -> Iterator[str]:
        services = Services(lambda account: SqliteStore(tmp_path / "keys.db", account=account), clock)
        with serving(Application(Parts(services, doorman, clock))) as url:
            yield url

    @pytest.fixture
    def transport_of(self, base_url: str, doorman: Doorman, request: pytest.FixtureRequest) -> TransportOf:
        def opened(account: str) -> Transport:
            transport = RemoteTransport(base_url, doorman.admit(account))
            request.addfinalizer(transport.close)
            return transport

        return opened

    @pytest.fixture
    def trail_of(self, transport_of: TransportOf) -> TrailOf:
        def read(account: str) -> list[TrailEntry]:
            return transport_of(account).trail(limit=1000)

        return read
