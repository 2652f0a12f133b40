"""Accounts that share a store do not see each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routic_cli.domain.errors import (
    KeyExistsError,
    KeyNotFoundError,
)
from routic_cli.domain.keys import (
    KeyChanges,
    KeyQuery,
    KeyStatus,
    NewVersion,
)
from tests.contract.transport_fixtures import OURS, THEIRS, TrailOf, TransportFixtures, TransportOf
from tests.support.keys import HINT, NOW, key_id, new_key, new_version, sha256


class AccountContract(TransportFixtures):
    """Accounts that share a store do not see each other."""

    def test_accounts_do_not_see_each_other(self, transport_of: TransportOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        ours.register(new_key(1, "prod"))
        theirs.register(new_key(2, "prod"))

        assert ours.find("prod").id == key_id(1)
        assert theirs.find("prod").id == key_id(2)
        assert [key.id for key in theirs.page(KeyQuery()).keys] == [key_id(2)]
        assert theirs.tally(KeyQuery()) == {KeyStatus.ACTIVE: 1}
        for ask in (
            lambda: theirs.find(key_id(1)),
            lambda: theirs.change(key_id(1), KeyChanges(rpm=5)),
            lambda: theirs.add_version(key_id(1), new_version(1, 2)),
            lambda: theirs.end_version(key_id(1), 1, NOW),
            lambda: theirs.page(KeyQuery(after=key_id(1))),
        ):
            with pytest.raises(KeyNotFoundError):
                ask()

    def test_no_account_ends_another_ones_key(self, transport_of: TransportOf, trail_of: TrailOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        ours.register(new_key(1))

        results = theirs.revoke([key_id(1), sha256(1)], "leaked")
        theirs.give_up(key_id(1), 1, sha256(1))

        assert [(result.key, result.changed) for result in results] == [(None, False)] * 2
        assert ours.find(key_id(1)).status is KeyStatus.ACTIVE
        assert [entry.action for entry in trail_of(OURS)] == ["key.created"]
        assert "key.revoked" not in [entry.action for entry in trail_of(THEIRS)]

    def test_ids_and_secrets_are_unique_across_accounts_and_no_error_says_whose(
        self, transport_of: TransportOf
    ) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        ours.register(new_key(1, "our-secret-project"))
        theirs.register(new_key(2))
        same_secret = replace(new_key(3), version=new_version(1))
        same_id = replace(new_key(3), id=key_id(1))

        results = theirs.register_many([same_secret, same_id, new_key(1, "both"), new_key(4)])
        errors = [result.error for result in results if result.error is not None]
        for conflicting in (same_secret, same_id):
            with pytest.raises(KeyExistsError) as caught:
                theirs.register(conflicting)
            errors.append(caught.value)
        with pytest.raises(KeyExistsError) as caught:
            theirs.add_version(key_id(2), NewVersion(2, sha256(1), HINT, NOW))
        errors.append(caught.value)

        assert [result.created for result in results] == [False, False, False, True]
        assert [type(error) for error in errors] == [KeyExistsError] * 6
        assert all("our-secret-project" not in " ".join([*error.sentences(), error.remedy]) for error in errors)
        assert ours.find(key_id(1)).name == "our-secret-project"
