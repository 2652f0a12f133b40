"""The versions of a key, and what each is worth."""

from __future__ import annotations

import pytest

from routic_cli.domain.errors import (
    ConflictError,
    InvalidRequestError,
    KeyExistsError,
    KeyGoneError,
)
from routic_cli.domain.keys import (
    KeyStatus,
    NewVersion,
    VerdictStatus,
)
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.secret import Fingerprint
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import Actions, Clock, TransportFixtures
from tests.support.keys import HINT, NOW, key_id, new_key, new_version, sha256


class VersionContract(TransportFixtures):
    """The versions of a key, and what each is worth."""

    def test_the_next_version_is_let_in_beside_the_previous(self, transport: Transport) -> None:
        before = transport.register(new_key(1, tags={"a": "1"}, rpm=5))

        after = transport.add_version(key_id(1), new_version(1, 2))

        assert (after.id, after.traits, after.created_at) == (before.id, before.traits, before.created_at)
        assert after.versions[0] == before.versions[0]
        assert after.current.number == 2
        for number in (1, 2):
            verdict = transport.verify(sha256(1, number))
            assert (verdict.status, verdict.version) == (VerdictStatus.ACTIVE, number)

    def test_adding_a_version_again_is_success(self, transport: Transport, actions: Actions) -> None:
        transport.register(new_key(1))
        added = transport.add_version(key_id(1), new_version(1, 2))

        assert transport.add_version(key_id(1), new_version(1, 2)) == added
        assert actions() == ["key.created", "version.created"]

    def test_a_version_has_one_secret_and_a_secret_one_version(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.register(new_key(2))
        transport.add_version(key_id(1), new_version(1, 2))

        for conflicting in (
            NewVersion(2, sha256(9), HINT, NOW),
            NewVersion(1, sha256(9), HINT, NOW),
            NewVersion(3, sha256(1, 1), HINT, NOW),
            NewVersion(3, sha256(2, 1), HINT, NOW),
        ):
            with pytest.raises(KeyExistsError):
                transport.add_version(key_id(1), conflicting)
        assert [v.number for v in transport.find(key_id(1)).versions] == [1, 2]

    def test_a_version_that_is_wrong_in_itself_is_refused(self, transport: Transport) -> None:
        transport.register(new_key(1))

        for wrong in (
            NewVersion(2, Fingerprint("abc"), HINT, NOW),
            NewVersion(2, sha256(1, 2), mint_secret().reveal(), NOW),
            NewVersion(10**20, sha256(1, 2), HINT, NOW),
        ):
            with pytest.raises(InvalidRequestError):
                transport.add_version(key_id(1), wrong)

    def test_an_expired_key_gets_no_next_version(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1, expires_at=NOW + 10))
        clock.forward(10)

        with pytest.raises(KeyGoneError):
            transport.add_version(key_id(1), new_version(1, 2))

    def test_a_version_is_let_in_until_its_end(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        key = transport.end_version(key_id(1), 1, NOW + 60)

        assert [v.expires_at for v in key.versions] == [NOW + 60, None]
        clock.forward(59)
        assert transport.verify(sha256(1, 1)).status is VerdictStatus.ACTIVE
        clock.forward(1)
        assert transport.verify(sha256(1, 1)).status is VerdictStatus.EXPIRED
        assert transport.verify(sha256(1, 2)).status is VerdictStatus.ACTIVE
        assert transport.find(key_id(1)).status is KeyStatus.ACTIVE

    def test_the_end_of_a_version_can_be_taken_back(self, transport: Transport, actions: Actions) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 2, NOW)
        assert transport.find(key_id(1)).current.number == 1
        assert transport.verify(sha256(1, 2)).status is VerdictStatus.EXPIRED

        for _ in range(2):
            assert transport.end_version(key_id(1), 2, None).current.number == 2
        assert transport.verify(sha256(1, 2)).status is VerdictStatus.ACTIVE
        assert actions() == ["key.created", "version.created", "version.ended", "version.ended"]

    def test_a_version_that_has_ended_stays_ended(self, transport: Transport, clock: Clock, actions: Actions) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 1, NOW + 10)
        clock.forward(10)
        before = actions()

        for revival in (None, NOW + 11, NOW + 10_000):
            with pytest.raises(KeyGoneError) as refused:
                transport.end_version(key_id(1), 1, revival)
            assert "has ended" in refused.value.what
            assert refused.value.remedy.startswith("routic rotate")
        for again in (NOW, NOW + 10):  # ending what has ended is no change
            assert transport.end_version(key_id(1), 1, again).versions[0].expires_at == NOW + 10
        assert transport.verify(sha256(1, 1)).status is VerdictStatus.EXPIRED
        assert actions() == before

    def test_the_newest_version_comes_back_for_as_long_as_an_abort_may_fail_and_no_longer(
        self, transport: Transport, clock: Clock
    ) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 2, NOW)
        with pytest.raises(KeyGoneError):
            transport.end_version(key_id(1), 2, NOW + 50)
        clock.forward(601)

        with pytest.raises(KeyGoneError):
            transport.end_version(key_id(1), 2, None)
        assert transport.verify(sha256(1, 2)).status is VerdictStatus.EXPIRED

    def test_no_second_version_is_kept_beside_the_current_one(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 1, NOW + 60)
        assert transport.end_version(key_id(1), 1, NOW + 90).versions[0].expires_at == NOW + 90
        transport.add_version(key_id(1), new_version(1, 3))

        for longer in (None, NOW + 100):
            with pytest.raises(ConflictError):
                transport.end_version(key_id(1), 1, longer)
        transport.end_version(key_id(1), 1, NOW)
        assert transport.verify(sha256(1, 1)).status is VerdictStatus.EXPIRED

    def test_the_last_version_that_lives_on_is_not_ended(self, transport: Transport, actions: Actions) -> None:
        transport.register(new_key(1))
        for end in (NOW, NOW + 60):
            with pytest.raises(ConflictError) as refused:
                transport.end_version(key_id(1), 1, end)
            assert f"routic keys revoke {key_id(1)}" in refused.value.remedy
        transport.add_version(key_id(1), new_version(1, 2))
        transport.end_version(key_id(1), 1, NOW + 60)
        with pytest.raises(ConflictError):
            transport.end_version(key_id(1), 2, NOW)

        assert transport.find(key_id(1)).status is KeyStatus.ACTIVE
        assert transport.verify(sha256(1, 2)).status is VerdictStatus.ACTIVE
        assert actions() == ["key.created", "version.created", "version.ended"]

    def test_the_end_of_a_version_lies_in_the_time_that_can_be_shown(self, transport: Transport) -> None:
        transport.register(new_key(1))

        with pytest.raises(InvalidRequestError):
            transport.end_version(key_id(1), 1, 10**15)

    def test_each_way_for_a_key_to_end_has_its_verdict(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1, expires_at=NOW + 10))
        transport.register(new_key(2))
        transport.register(new_key(3))
        transport.revoke([key_id(2)], None)
        clock.forward(10)

        assert [transport.verify(sha256(n)).status for n in (1, 2, 3, 4)] == [
            VerdictStatus.EXPIRED,
            VerdictStatus.REVOKED,
            VerdictStatus.ACTIVE,
            VerdictStatus.UNKNOWN,
        ]
        assert transport.verify(sha256(4)).key is None
        transport.revoke([key_id(1)], None)
        assert transport.verify(sha256(1)).status is VerdictStatus.REVOKED
