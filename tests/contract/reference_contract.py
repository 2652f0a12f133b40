"""Which key a REF means."""

from __future__ import annotations

import pytest

from routic_cli.domain.errors import (
    AmbiguousRefError,
    InvalidNameError,
    InvalidRequestError,
    KeyNotFoundError,
    SecretInArgumentError,
)
from routic_cli.domain.minting import mint_secret
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import Clock, TransportFixtures
from tests.support.keys import HINT, NOW, key_id, new_key


class ReferenceContract(TransportFixtures):
    """Which key a REF means."""

    def test_a_key_is_found_by_name_id_and_unique_beginning(self, transport: Transport) -> None:
        keys = [transport.register(new_key(n)) for n in (1, 32)]

        assert transport.find("key-1") == keys[0]
        assert transport.find(key_id(32)) == keys[1]
        assert transport.find(key_id(32)[:-1]) == keys[1]

    def test_a_beginning_of_several_ids_is_ambiguous_and_says_which(self, transport: Transport) -> None:
        for n in range(8):
            transport.register(new_key(n))

        with pytest.raises(AmbiguousRefError) as caught:
            transport.find(key_id(0)[:-1])
        assert key_id(0) in caught.value.why
        assert "and more" in caught.value.why

    @pytest.mark.parametrize("ref", ["key", "", "_", "%", "key_%", "*", "KEY-1", "\udc80", "a\x00b", "x" * 10_000])
    def test_what_is_no_name_and_no_id_finds_nothing(self, transport: Transport, ref: str) -> None:
        transport.register(new_key(1))

        with pytest.raises(KeyNotFoundError):
            transport.find(ref)

    def test_a_near_miss_is_answered_with_what_was_meant(self, transport: Transport) -> None:
        transport.register(new_key(1, "prod-backend"))

        with pytest.raises(KeyNotFoundError, match="prod-backned") as caught:
            transport.find("prod-backned")
        assert "prod-backend" in caught.value.why

    @pytest.mark.parametrize("ref", [HINT, "sk-AbCd...WxYz", "sk-…", "…", "AbCd…WxYz"])
    def test_a_hint_names_no_key(self, transport: Transport, ref: str) -> None:
        transport.register(new_key(1))

        with pytest.raises(InvalidRequestError):
            transport.find(ref)

    def test_a_secret_names_no_key_and_is_not_repeated(self, transport: Transport) -> None:
        text = mint_secret().reveal()

        with pytest.raises(SecretInArgumentError) as caught:
            transport.find(text)
        assert text not in " ".join([*caught.value.sentences(), caught.value.remedy])

    def test_a_name_means_the_live_key(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1, "prod"))
        transport.revoke([key_id(1)], None)
        transport.register(new_key(2, "prod", expires_at=NOW + 5))
        clock.forward(5)
        transport.register(new_key(3, "prod"))
        transport.register_many([new_key(4, "prod", expires_at=NOW)])

        assert transport.find("prod").id == key_id(3)

    def test_without_a_live_key_a_name_means_the_one_that_lost_it_last(
        self, transport: Transport, clock: Clock
    ) -> None:
        transport.register(new_key(1, "prod", expires_at=NOW + 10))
        clock.forward(20)
        transport.register(new_key(2, "prod"))
        clock.forward(20)
        transport.revoke([key_id(2)], None)
        clock.forward(20)
        # Revoked later, but its name was lost when it expired.
        transport.revoke([key_id(1)], None)

        assert transport.find("prod").id == key_id(2)

    def test_of_two_that_lost_a_name_in_the_same_second_it_means_the_younger(self, transport: Transport) -> None:
        for n in (2, 1):
            transport.register(new_key(n, "prod"))
            transport.revoke([key_id(n)], None)

        assert transport.find("prod").id == key_id(1)

    def test_no_name_can_take_over_the_beginning_of_an_id(self, transport: Transport) -> None:
        transport.register(new_key(1))
        with pytest.raises(InvalidNameError):
            transport.register(new_key(2, "key_00"))

        assert transport.find("key_00").id == key_id(1)
