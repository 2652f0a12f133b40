"""KeyService over the SQLite store is a transport."""

from __future__ import annotations

from pathlib import Path

import pytest

from routic_cli.service.keys import KeyService
from routic_cli.store.interface import TrailEntry
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport.interface import Transport
from tests.contract.transport_contract import TransportContract
from tests.contract.transport_fixtures import Clock, TrailOf, TransportOf
from tests.support.keys import NOW


class TestLocalTransport(TransportContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def transport_of(self, clock: Clock, tmp_path: Path, request: pytest.FixtureRequest) -> TransportOf:
        def opened(account: str) -> Transport:
            service = KeyService(SqliteStore(tmp_path / "keys.db", account=account), clock=clock, actor="me@here")
            request.addfinalizer(service.close)
            return service

        return opened

    @pytest.fixture
    def trail_of(self, tmp_path: Path) -> TrailOf:
        def read(account: str) -> list[TrailEntry]:
            store = SqliteStore(tmp_path / "keys.db", account=account)
            with store.reading(NOW) as view:
                entries = view.trail(limit=1000)
            store.close()
            return entries

        return read
