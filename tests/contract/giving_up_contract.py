"""What is called dead before its time stays dead, whatever arrives late."""

from __future__ import annotations

import pytest

from routic_cli.domain.errors import (
    InvalidRequestError,
    KeyGoneError,
)
from routic_cli.domain.keys import (
    KeyId,
    KeyQuery,
    KeyStatus,
    NewVersion,
    VerdictStatus,
)
from routic_cli.domain.secret import Fingerprint
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import Actions, Clock, TransportFixtures
from tests.support.keys import HINT, NOW, key_id, new_key, new_version, sha256


class GivingUpContract(TransportFixtures):
    """What is called dead before its time stays dead, whatever arrives late."""

    def test_what_was_given_up_before_it_came_stays_out(self, transport: Transport) -> None:
        transport.give_up(key_id(1), 1, sha256(1))

        for _ in range(2):  # the late request, and its duplicate
            with pytest.raises(KeyGoneError):
                transport.register(new_key(1))
        assert isinstance(transport.register_many([new_key(1)])[0].error, KeyGoneError)
        assert transport.verify(sha256(1)).status is VerdictStatus.UNKNOWN
        assert transport.page(KeyQuery()).keys == ()

    def test_what_is_given_up_after_it_came_is_revoked(self, transport: Transport, actions: Actions) -> None:
        transport.register(new_key(1))
        transport.give_up(key_id(1), 1, sha256(1))
        transport.give_up(key_id(1), 1, sha256(1))

        key = transport.find(key_id(1))
        assert (key.status, key.revoke_reason) == (KeyStatus.REVOKED, "never delivered")
        assert transport.verify(sha256(1)).status is VerdictStatus.REVOKED
        with pytest.raises(KeyGoneError):
            transport.register(new_key(1))
        assert actions() == ["key.created", "version.given_up"]

    def test_giving_up_what_nobody_knows_is_success(self, transport: Transport, actions: Actions) -> None:
        transport.give_up(key_id(1), 1, sha256(1))
        transport.give_up(key_id(1), 1, sha256(1))

        assert actions() == ["version.given_up"]

    def test_giving_up_leaves_a_revocation_as_it_is(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1))
        transport.revoke([key_id(1)], "leaked")
        clock.forward(5)
        transport.give_up(key_id(1), 1, sha256(1))

        key = transport.find(key_id(1))
        assert (key.revoked_at, key.revoke_reason) == (NOW, "leaked")

    def test_giving_up_spares_the_same_number_with_another_secret(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.give_up(key_id(1), 1, sha256(2))

        assert transport.verify(sha256(1)).status is VerdictStatus.ACTIVE
        assert transport.register(new_key(1)).status is KeyStatus.ACTIVE

    def test_a_version_given_up_before_it_came_stays_out_and_its_number_is_free(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.give_up(key_id(1), 2, sha256(1, 2))

        with pytest.raises(KeyGoneError):
            transport.add_version(key_id(1), new_version(1, 2))
        other = NewVersion(2, sha256(7), HINT, NOW)
        assert transport.add_version(key_id(1), other).current.sha256 == sha256(7)

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_a_version_given_up_beside_others_is_forgotten_and_they_live_on(
        self, transport: Transport, number: int
    ) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.add_version(key_id(1), new_version(1, 3))
        transport.give_up(key_id(1), number, sha256(1, number))

        assert transport.verify(sha256(1, number)).status is VerdictStatus.UNKNOWN
        for other in {1, 2, 3} - {number}:
            assert transport.verify(sha256(1, other)).status is VerdictStatus.ACTIVE
        with pytest.raises(KeyGoneError):
            transport.add_version(key_id(1), new_version(1, number))
        if number == 1:
            with pytest.raises(KeyGoneError):
                transport.register(new_key(1))

    def test_giving_up_what_replaced_a_retiring_version_lets_that_one_live_on(
        self, transport: Transport, clock: Clock
    ) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 1, NOW + 60)
        transport.give_up(key_id(1), 2, sha256(1, 2))
        clock.forward(60)

        assert transport.verify(sha256(1, 1)).status is VerdictStatus.ACTIVE

    def test_giving_up_the_last_version_that_is_let_in_revokes_the_key(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 1, NOW)
        transport.give_up(key_id(1), 2, sha256(1, 2))

        assert transport.find(key_id(1)).status is KeyStatus.REVOKED
        assert transport.verify(sha256(1, 2)).status is VerdictStatus.REVOKED

    def test_giving_up_takes_a_whole_id_a_number_and_a_hash(self, transport: Transport) -> None:
        for wrong in (
            (KeyId("key_"), 1, sha256(1)),
            (KeyId("prod"), 1, sha256(1)),
            (key_id(1), 0, sha256(1)),
            (key_id(1), 1, Fingerprint("sk-…")),
        ):
            with pytest.raises(InvalidRequestError):
                transport.give_up(*wrong)
