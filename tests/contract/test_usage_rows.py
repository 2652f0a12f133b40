"""A summary of more rows than a reply holds: refused as a whole, answered where a limit says which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routic_cli.domain.errors import TooManyRowsError
from routic_cli.domain.traffic import Dimension, TrafficQuery, TrafficSort
from routic_cli.domain.usage import UsageEvent
from routic_cli.server import usage_admin
from routic_cli.server.app import Application, Parts
from routic_cli.server.services import Services
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport.remote import RemoteTransport
from tests.support.keys import NOW
from tests.support.server import Doorman, serving

BY = (Dimension.ADDRESS,)


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteTransport]:
    """A server whose replies hold ten rows, over a log of thirty addresses."""
    monkeypatch.setattr(usage_admin, "MOST_ROWS", 10)
    doorman = Doorman()
    services = Services(lambda account: SqliteStore(tmp_path / "keys.db", account=account), lambda: NOW)
    with serving(Application(Parts(services, doorman, lambda: NOW))) as url:
        transport = RemoteTransport(url, doorman.admit("ours"))
        transport.usage.append(
            [
                UsageEvent(NOW, "missing", "GET", "/", 401, f"192.0.2.{n}", "curl/8", "")
                for n in range(30)
                for _ in range(n + 1)
            ]
        )
        yield transport
        transport.close()


def test_more_rows_than_a_reply_holds_are_refused_as_a_whole_and_why_is_told_from_a_wrong_request(
    remote: RemoteTransport,
) -> None:
    with pytest.raises(TooManyRowsError, match="more than 10 rows") as caught:
        remote.usage.summary(TrafficQuery(BY))
    assert "--since" in caught.value.remedy
    assert "'by'" not in caught.value.remedy


def test_the_busiest_of_more_rows_than_a_reply_holds_can_be_asked_for(remote: RemoteTransport) -> None:
    rows = remote.usage.summary(TrafficQuery(BY, sort=TrafficSort.CALLS, descending=True, limit=2)).rows
    assert [(row.labels, row.calls) for row in rows] == [(("192.0.2.29",), 30), (("192.0.2.28",), 29)]
