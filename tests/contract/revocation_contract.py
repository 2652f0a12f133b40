"""Ending keys at once and for good."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from routic_cli.domain.errors import (
    InvalidRequestError,
    KeyGoneError,
)
from routic_cli.domain.keys import (
    KeyChanges,
    KeyId,
    KeyStatus,
    VerdictStatus,
)
from routic_cli.domain.secret import Fingerprint
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import Actions, Clock, TransportFixtures
from tests.support.keys import NOW, key_id, new_key, new_version, sha256


class RevocationContract(TransportFixtures):
    """Ending keys at once and for good."""

    def test_many_targets_have_one_result_each_in_their_order(
        self, transport: Transport, clock: Clock, actions: Actions
    ) -> None:
        for n in (1, 2, 3):
            transport.register(new_key(n))
        transport.revoke([key_id(3)], "earlier")
        clock.forward(5)

        targets: Sequence[KeyId | Fingerprint] = [
            key_id(2),
            sha256(9),
            key_id(1),
            key_id(2),
            sha256(2),
            key_id(8),
            key_id(3),
        ]
        results = transport.revoke(targets, "leaked")

        assert [result.target for result in results] == list(targets)
        assert [result.changed for result in results] == [True, False, True, False, False, False, False]
        found = [result.key.id if result.key else None for result in results]
        assert found == [key_id(2), None, key_id(1), key_id(2), key_id(2), None, key_id(3)]
        assert [key.status for result in results if (key := result.key)] == [KeyStatus.REVOKED] * 5
        assert [transport.find(key_id(n)).revoke_reason for n in (1, 2, 3)] == ["leaked", "leaked", "earlier"]
        assert [transport.find(key_id(n)).revoked_at for n in (1, 2, 3)] == [NOW + 5, NOW + 5, NOW]
        assert actions() == ["key.created"] * 3 + ["key.revoked"] * 3

    def test_any_version_of_a_key_leads_to_all_of_it(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 1, NOW + 5)
        clock.forward(10)

        [result] = transport.revoke([sha256(1, 1)], None)

        assert result.changed
        assert [transport.verify(sha256(1, n)).status for n in (1, 2)] == [VerdictStatus.REVOKED] * 2

    def test_many_secrets_are_asked_about_at_once_and_answered_in_their_order(
        self, transport: Transport, clock: Clock
    ) -> None:
        for n in (1, 2):
            transport.register(new_key(n))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 1, NOW + 5)
        transport.revoke([key_id(2)], "leaked")
        clock.forward(10)

        verdicts = transport.verify_many([sha256(2), sha256(9), sha256(1, 1), sha256(1, 2), sha256(2)])

        assert [each.status.value for each in verdicts] == ["revoked", "unknown", "expired", "active", "revoked"]
        assert [each.key and each.key.id for each in verdicts] == [key_id(2), None, key_id(1), key_id(1), key_id(2)]
        assert [each.version for each in verdicts] == [1, None, 1, 2, 1]
        assert verdicts[2] == transport.verify(sha256(1, 1))
        assert transport.verify_many([]) == []

    def test_an_expired_key_can_be_revoked(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1, expires_at=NOW + 5))
        clock.forward(5)

        assert transport.revoke([key_id(1)], None)[0].changed
        with pytest.raises(KeyGoneError):
            transport.change(key_id(1), KeyChanges(expires_at=None))

    def test_revoking_nothing_is_nothing(self, transport: Transport, actions: Actions) -> None:
        assert transport.revoke([], None) == []
        assert actions() == []

    @pytest.mark.parametrize("reason", ["line\nbreak", "a\u202eb", "x" * 501, "was sk-" + "a1B2" * 10])
    def test_a_reason_is_one_printable_line_without_a_secret(self, transport: Transport, reason: str) -> None:
        transport.register(new_key(1))

        with pytest.raises(InvalidRequestError) as caught:
            transport.revoke([key_id(1)], reason)
        assert reason not in " ".join(caught.value.sentences())
        assert transport.find(key_id(1)).status is KeyStatus.ACTIVE
