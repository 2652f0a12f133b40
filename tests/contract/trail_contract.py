"""The audit trail: one row for each change, none for what changed nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routic_cli.domain.errors import (
    KeyExistsError,
    KeyNotFoundError,
)
from routic_cli.domain.keys import (
    KeyChanges,
)
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import OURS, Actions, Clock, TrailOf, TransportFixtures
from tests.support.keys import NOW, key_id, new_key, new_version, sha256


class TrailContract(TransportFixtures):
    """The audit trail: one row for each change, none for what changed nothing."""

    def test_each_change_has_its_row_with_who_when_and_what(
        self, transport: Transport, clock: Clock, trail_of: TrailOf
    ) -> None:
        transport.register(new_key(1))
        clock.forward(1)
        transport.change(key_id(1), KeyChanges(name="n", tags={"a": "1"}, rpm=5, expires_at=NOW + 9))
        clock.forward(1)
        transport.add_version(key_id(1), new_version(1, 2))
        clock.forward(1)
        transport.end_version(key_id(1), 1, NOW + 8)
        clock.forward(1)
        transport.revoke([key_id(1)], "leaked")

        entries = trail_of(OURS)[::-1]
        assert [(entry.at, entry.action, entry.key_id) for entry in entries] == [
            (NOW, "key.created", key_id(1)),
            (NOW + 1, "key.changed", key_id(1)),
            (NOW + 2, "version.created", key_id(1)),
            (NOW + 3, "version.ended", key_id(1)),
            (NOW + 4, "key.revoked", key_id(1)),
        ]
        assert len({entry.actor for entry in entries}) == 1
        assert entries[0].actor
        assert [dict(entry.detail) for entry in entries] == [
            {"name": "key-1", "sha256": sha256(1)},
            {"name": ["key-1", "n"], "tags": [{}, {"a": "1"}], "rpm": [None, 5], "expires_at": [None, NOW + 9]},
            {"version": 2, "sha256": sha256(1, 2)},
            {"version": 1, "expires_at": NOW + 8},
            {"reason": "leaked"},
        ]

    def test_what_failed_leaves_no_row(self, transport: Transport, actions: Actions) -> None:
        transport.register(new_key(1))
        with pytest.raises(KeyExistsError):
            transport.register(replace(new_key(1), version=new_version(2)))
        with pytest.raises(KeyNotFoundError):
            transport.end_version(key_id(1), 2, NOW)
        transport.revoke([key_id(1)], None)
        transport.revoke([key_id(1)], "again")
        transport.revoke([sha256(8)], None)

        assert actions() == ["key.created", "key.revoked"]
