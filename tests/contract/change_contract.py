"""What the owner may change of a key, and what nobody may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routic_cli.domain.errors import (
    InvalidNameError,
    InvalidRequestError,
    KeyGoneError,
    KeyNotFoundError,
    NameTakenError,
)
from routic_cli.domain.keys import (
    KeyChanges,
    KeyStatus,
    KeyTraits,
    VerdictStatus,
)
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import Actions, Clock, TransportFixtures
from tests.support.keys import NOW, key_id, new_key, new_version, sha256


class ChangeContract(TransportFixtures):
    """What the owner may change of a key, and what nobody may."""

    def test_a_change_keeps_what_it_does_not_name(self, transport: Transport) -> None:
        before = transport.register(new_key(1, tags={"a": "1", "b": "2"}, rpm=5, expires_at=NOW + 50))

        for changes, traits in (
            (KeyChanges(), before.traits),
            (KeyChanges(name="n"), replace(before.traits, name="n")),
            (KeyChanges(rpm=6), replace(before.traits, name="n", rpm=6)),
            (KeyChanges(rpm=None), replace(before.traits, name="n", rpm=None)),
            (KeyChanges(expires_at=None), replace(before.traits, name="n", rpm=None, expires_at=None)),
            (
                KeyChanges(tags={"a": None, "b": "3", "c": "4", "d": None}),
                KeyTraits("n", {"b": "3", "c": "4"}, before.traits.scopes),
            ),
        ):
            changed = transport.change(key_id(1), changes)
            assert changed.traits == traits
            assert transport.find(key_id(1)) == changed
        assert changed.versions == before.versions
        assert changed.created_at == before.created_at

    def test_a_change_to_what_is_already_so_is_no_change(self, transport: Transport, actions: Actions) -> None:
        key = transport.register(new_key(1, tags={"a": "1"}, rpm=5))

        assert transport.change(key_id(1), KeyChanges(name="key-1", rpm=5, tags={"a": "1", "x": None})) == key
        assert actions() == ["key.created"]

    def test_a_taken_name_is_refused_and_nothing_else_is_changed(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.register(new_key(2))

        with pytest.raises(NameTakenError):
            transport.change(key_id(2), KeyChanges(name="key-1", rpm=5))
        assert transport.find(key_id(2)).traits == KeyTraits("key-2")

    @pytest.mark.parametrize(
        "wrong",
        [
            KeyChanges(name=""),
            KeyChanges(name="a b"),
            KeyChanges(rpm=0),
            KeyChanges(rpm=10**20),
            KeyChanges(tags={"a b": "x"}),
            KeyChanges(expires_at=10**15),
        ],
    )
    def test_a_change_that_is_wrong_in_itself_is_refused(self, transport: Transport, wrong: KeyChanges) -> None:
        before = transport.register(new_key(1))

        with pytest.raises(InvalidRequestError):
            transport.change(key_id(1), wrong)
        assert transport.find(key_id(1)) == before

    def test_a_name_that_is_wrong_is_told_from_other_mistakes(self, transport: Transport) -> None:
        with pytest.raises(InvalidNameError):
            transport.register(new_key(1, "a/b"))

    def test_an_expired_key_lives_again_if_its_name_is_free(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1, "prod", expires_at=NOW + 10))
        clock.forward(10)

        assert transport.change(key_id(1), KeyChanges(expires_at=NOW + 99)).status is KeyStatus.ACTIVE
        assert transport.verify(sha256(1)).status is VerdictStatus.ACTIVE

    def test_an_expired_key_whose_name_is_taken_lives_again_under_another(
        self, transport: Transport, clock: Clock
    ) -> None:
        transport.register(new_key(1, "prod", expires_at=NOW + 10))
        clock.forward(10)
        transport.register(new_key(2, "prod"))

        with pytest.raises(NameTakenError):
            transport.change(key_id(1), KeyChanges(expires_at=None))
        assert transport.find(key_id(1)).status is KeyStatus.EXPIRED
        assert transport.change(key_id(1), KeyChanges(rpm=7)).status is KeyStatus.EXPIRED
        assert transport.change(key_id(1), KeyChanges(expires_at=None, name="prod-2")).status is KeyStatus.ACTIVE

    def test_a_key_gets_no_end_that_has_come_already(
        self, transport: Transport, clock: Clock, actions: Actions
    ) -> None:
        transport.register(new_key(1, expires_at=NOW + 10))
        for end in (NOW, NOW - 1):
            with pytest.raises(InvalidRequestError) as refused:
                transport.change(key_id(1), KeyChanges(expires_at=end))
            assert refused.value.param == "expires_at"
        clock.forward(20)

        assert transport.change(key_id(1), KeyChanges(expires_at=NOW + 10, rpm=7)).status is KeyStatus.EXPIRED
        assert actions() == ["key.created", "key.changed"]

    def test_a_revoked_key_is_changed_no_more(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.revoke([key_id(1)], None)

        with pytest.raises(KeyGoneError):
            transport.change(key_id(1), KeyChanges(rpm=5))
        with pytest.raises(KeyGoneError):
            transport.add_version(key_id(1), new_version(1, 2))
        with pytest.raises(KeyGoneError):
            transport.end_version(key_id(1), 1, NOW)

    def test_a_key_that_nobody_knows_cannot_be_changed(self, transport: Transport) -> None:
        transport.register(new_key(1))

        with pytest.raises(KeyNotFoundError):
            transport.change(key_id(2), KeyChanges(rpm=5))
        with pytest.raises(KeyNotFoundError):
            transport.add_version(key_id(2), new_version(2, 2))
        with pytest.raises(KeyNotFoundError):
            transport.end_version(key_id(2), 1, NOW)
        with pytest.raises(KeyNotFoundError):
            transport.end_version(key_id(1), 2, NOW)
