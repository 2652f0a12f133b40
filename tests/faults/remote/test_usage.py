"""Usage through a network that loses replies, and a server that has to think."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

import pytest

from routic_cli.domain.audit.findings import AuditQuery
from routic_cli.domain.errors import OutcomeUnknownError, StoreLockedError
from routic_cli.domain.traffic import EventQuery
from routic_cli.domain.usage import UsageEvent
from routic_cli.transport.exchange import ATTEMPTS
from routic_cli.transport.remote import RemoteTransport
from routic_cli.transport.wire.objects import list_object
from tests.support.hostile import Between, Liar, says
from tests.support.keys import NOW
from tests.support.remote_faults import JSON, PATIENT, SHORT, Ground, error

# Of a time that the real server, whose clock is real, does not take for the future.
CALL = UsageEvent(NOW - 100_000_000, "allowed", "POST", "/v1/models", 200, "192.0.2.7", "curl/8.5.0", "r")


def stored(ground: Ground) -> int:
    return len(ground.transport.usage.events(EventQuery()).events)


def test_events_whose_reply_is_lost_are_sent_again_and_count_once(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    with Between(ground.url, swallow=lambda method, n: n == 1) as between:
        transport = asking(between.url, ground=ground, timeouts=PATIENT)
        appended = transport.usage.append([CALL, CALL, CALL])
        assert between.connections == 2
    assert appended.new + appended.known == 3
    assert stored(ground) == 3


def test_events_whose_replies_are_all_lost_may_be_sent_once_more(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    known = [CALL._replace(identity=n) for n in range(3)]
    with Between(ground.url, swallow=lambda method, n: n <= ATTEMPTS) as between:
        transport = asking(between.url, ground=ground, timeouts=PATIENT)
        with pytest.raises(OutcomeUnknownError) as caught:
            transport.usage.append(known)
        assert "counts once" in caught.value.remedy
        assert transport.usage.append(known).known == 3
    assert stored(ground) == 3


def test_when_a_later_part_is_refused_it_is_said_how_many_are_stored(asking: Callable[..., RemoteTransport]) -> None:
    first = says(200, json.dumps({"object": "usage.appended", "new": 5000, "known": 0}), **JSON)
    locked = error(StoreLockedError("The store is locked"))
    with Liar(first, locked) as liar, pytest.raises(StoreLockedError) as caught:
        asking(liar.url, timeouts=PATIENT).usage.append([CALL] * 6000)
    assert "5000 of 6000" in caught.value.not_done


def test_a_server_that_thinks_about_an_audit_is_waited_for(asking: Callable[..., RemoteTransport]) -> None:
    answer = says(200, json.dumps(list_object([])), **JSON)

    def thinks(liar: Liar, connection: socket.socket) -> None:
        time.sleep(3 * SHORT.attempt)
        answer(liar, connection)

    with Liar(thinks) as liar:
        assert asking(liar.url).usage.audit(AuditQuery(0, NOW)) == []
        assert len(liar.requests) == 1
