"""A server with more addresses than a reply holds: the busiest are shown, all of them are refused with what helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routic_cli.domain.usage import UsageEvent
from routic_cli.server import usage_admin
from routic_cli.server.app import Application, Parts
from routic_cli.server.services import Services
from routic_cli.store.sqlite import SqliteStore
from routic_cli.transport.remote import RemoteTransport
from tests.support.keys import NOW
from tests.support.sandbox import Sandbox
from tests.support.server import Doorman, serving

SINCE = ("--since", "2020-01-01", "--until", "2040-01-01")


@pytest.fixture
def client(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Of a server whose replies hold ten rows, over a log of thirty addresses."""
    monkeypatch.setattr(usage_admin, "MOST_ROWS", 10)
    doorman = Doorman()
    token = doorman.admit("ours")
    services = Services(lambda account: SqliteStore(tmp_path / "served.db", account=account), lambda: NOW)
    events = [UsageEvent(NOW, "missing", "GET", "/", 401, f"192.0.2.{n}", "curl/8", "") for n in range(30)]
    with serving(Application(Parts(services, doorman, lambda: NOW))) as url:
        transport = RemoteTransport(url, token)
        transport.usage.append([*events, *events[7:9], events[8]])
        transport.close()
        sandbox.extra |= {"ROUTIC_STORE": url, "ROUTIC_TOKEN": token.reveal()}
        yield sandbox


def test_the_busiest_of_too_many_are_shown_with_the_sum_of_all(client: Sandbox) -> None:
    done = client.ok("usage", "show", "--by", "address", "--limit", "2", *SINCE)
    assert [line.split("\t")[:2] for line in done.out.splitlines()] == [["192.0.2.8", "3"], ["192.0.2.7", "2"]]
    assert "28 calls more: --limit 2 left them out" in done.err
    assert "33 calls, 33 errors" in done.err


def test_too_many_rows_are_refused_with_options_of_the_command(client: Sandbox) -> None:
    done = client.run("usage", "show", "--by", "address", *SINCE)
    assert done.code == 2
    assert "routic usage show --by address --limit 20, or a later --since" in done.err
    assert "'by'" not in done.err
