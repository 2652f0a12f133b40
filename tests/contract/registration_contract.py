"""How keys come into a store, one by one and many at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routic_cli.domain.errors import (
    InvalidNameError,
    InvalidRequestError,
    KeyExistsError,
    KeyGoneError,
    KeyNotFoundError,
    NameTakenError,
)
from routic_cli.domain.keys import (
    KeyChanges,
    KeyId,
    KeyQuery,
    KeyStatus,
    NewKey,
    NewVersion,
    Scope,
    VerdictStatus,
)
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.secret import Fingerprint
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import Actions, Clock, TransportFixtures
from tests.support.keys import HINT, NOW, key_id, new_key, new_version, sha256


class RegistrationContract(TransportFixtures):
    """How keys come into a store, one by one and many at once."""

    def test_a_registered_key_is_active_and_let_in(self, transport: Transport) -> None:
        new = new_key(1, tags={"env": "prod"}, rpm=60, expires_at=NOW + 100, scopes=(Scope.API,))

        key = transport.register(new)

        assert (key.id, key.traits, key.status, key.created_at) == (new.id, new.traits, KeyStatus.ACTIVE, NOW)
        assert transport.find(new.id) == key
        verdict = transport.verify(new.version.sha256)
        assert (verdict.status, verdict.key, verdict.version) == (VerdictStatus.ACTIVE, key, 1)

    def test_registering_again_is_success_and_changes_nothing(
        self, transport: Transport, clock: Clock, actions: Actions
    ) -> None:
        transport.register(new_key(1))
        changed = transport.change(key_id(1), KeyChanges(name="renamed"))
        clock.forward(5)

        assert transport.register(new_key(1)) == changed
        assert actions() == ["key.created", "key.changed"]

    def test_registering_again_is_success_after_a_rotation(self, transport: Transport) -> None:
        transport.register(new_key(1))
        rotated = transport.add_version(key_id(1), new_version(1, 2))

        assert transport.register(new_key(1)) == rotated

    def test_an_id_has_one_secret(self, transport: Transport) -> None:
        transport.register(new_key(1))

        with pytest.raises(KeyExistsError):
            transport.register(replace(new_key(1, "other"), version=new_version(2)))
        assert transport.verify(sha256(2)).status is VerdictStatus.UNKNOWN

    def test_a_secret_has_one_key(self, transport: Transport) -> None:
        transport.register(new_key(1))

        with pytest.raises(KeyExistsError):
            transport.register(replace(new_key(2), version=new_version(1)))
        with pytest.raises(KeyNotFoundError):
            transport.find(key_id(2))

    def test_a_revoked_key_is_gone_for_good(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.revoke([key_id(1)], None)

        with pytest.raises(KeyGoneError):
            transport.register(new_key(1))
        assert transport.verify(sha256(1)).status is VerdictStatus.REVOKED

    def test_the_name_of_a_live_key_is_taken(self, transport: Transport, actions: Actions) -> None:
        transport.register(new_key(1, "prod"))

        with pytest.raises(NameTakenError):
            transport.register(new_key(2, "prod"))
        assert transport.verify(sha256(2)).status is VerdictStatus.UNKNOWN
        assert actions() == ["key.created"]

    def test_names_that_look_alike_after_normalisation_are_the_same(self, transport: Transport) -> None:
        transport.register(new_key(1, "caf\u00e9"))

        with pytest.raises(NameTakenError):
            transport.register(new_key(2, "cafe\u0301"))
        assert transport.find("cafe\u0301").id == key_id(1)
        assert transport.page(KeyQuery(name_glob="cafe\u0301*")).keys[0].id == key_id(1)

    def test_a_revocation_frees_the_name(self, transport: Transport) -> None:
        transport.register(new_key(1, "prod"))
        transport.revoke([key_id(1)], None)

        assert transport.register(new_key(2, "prod")).status is KeyStatus.ACTIVE

    def test_the_end_of_a_key_frees_the_name_in_that_second(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1, "prod", expires_at=NOW + 10))
        clock.forward(9)
        with pytest.raises(NameTakenError):
            transport.register(new_key(2, "prod"))
        clock.forward(1)

        assert transport.register(new_key(2, "prod")).status is KeyStatus.ACTIVE
        assert transport.find(key_id(1)).status is KeyStatus.EXPIRED

    def test_a_key_that_has_ended_needs_no_free_name(self, transport: Transport) -> None:
        transport.register(new_key(1, "prod"))

        [imported] = transport.register_many([new_key(2, "prod", expires_at=NOW - 1)])
        assert imported.key is not None
        assert imported.key.status is KeyStatus.EXPIRED

    def test_a_key_that_would_have_ended_already_is_refused(
        self, transport: Transport, clock: Clock, actions: Actions
    ) -> None:
        for end in (NOW, NOW - 1, 0):
            with pytest.raises(InvalidRequestError) as refused:
                transport.register(new_key(1, expires_at=end))
            assert refused.value.param == "expires_at"
        assert actions() == []

        new = new_key(1, expires_at=NOW + 1)
        transport.register(new)
        clock.forward(1)
        assert transport.register(new).status is KeyStatus.EXPIRED  # the same again is success, however late

    @pytest.mark.parametrize(
        "wrong",
        [
            new_key(1, "two words"),
            new_key(1, "a\u202eb"),
            new_key(1, key_id(9)),
            new_key(1, tags={"": "x"}),
            new_key(1, tags={"a": "line\nbreak"}),
            new_key(1, rpm=0),
            new_key(1, rpm=10**20),
            new_key(1, scopes=()),
            new_key(1, expires_at=-1),
            new_key(1, expires_at=10**15),
            replace(new_key(1), id=KeyId("prod")),
            replace(new_key(1), id=KeyId("key_" + "u" * 16)),
            replace(new_key(1), version=new_version(1, 0)),
            replace(new_key(1), version=new_version(1, 2)),
            replace(new_key(1), version=NewVersion(1, Fingerprint("abc"), HINT, NOW)),
            replace(new_key(1), version=NewVersion(1, Fingerprint(sha256(1).upper()), HINT, NOW)),
            replace(new_key(1), version=NewVersion(1, sha256(1), "no mask", NOW)),
            replace(new_key(1), version=NewVersion(1, sha256(1), HINT, -1)),
            replace(new_key(1), version=NewVersion(1, sha256(1), HINT, 10**15)),
        ],
    )
    def test_a_registration_that_is_wrong_in_itself_is_refused(
        self, transport: Transport, actions: Actions, wrong: NewKey
    ) -> None:
        with pytest.raises(InvalidRequestError):
            transport.register(wrong)
        [result] = transport.register_many([wrong])
        assert isinstance(result.error, InvalidRequestError)
        assert transport.page(KeyQuery()).keys == ()
        assert actions() == []

    def test_a_secret_passes_for_nothing_else(self, transport: Transport) -> None:
        text = mint_secret().reveal()
        for wrong in (
            replace(new_key(1), version=NewVersion(1, sha256(1), text, NOW)),
            replace(new_key(1), version=NewVersion(1, Fingerprint(text), HINT, NOW)),
            new_key(1, text),
            new_key(1, tags={"a": text}),
            new_key(1, tags={text: "a"}),
        ):
            with pytest.raises(InvalidRequestError) as caught:
                transport.register(wrong)
            assert text not in " ".join([*caught.value.sentences(), caught.value.remedy])

    def test_bad_ones_of_a_hundred_keep_no_others_out(self, transport: Transport, actions: Actions) -> None:
        transport.register(new_key(1, "there"))
        transport.register(new_key(2, "gone"))
        transport.revoke([key_id(2)], None)
        transport.give_up(key_id(3), 1, sha256(3))
        news, expected = [], []
        for n in range(10, 20):
            news += [
                new_key(n),
                replace(new_key(1, "there"), id=key_id(n + 100)),  # its secret is here
                new_key(1, "there"),  # the very same
                new_key(n + 200, "two words"),
                new_key(n + 300, "there"),
                new_key(3, f"given-up-{n}"),
                new_key(2, f"revoked-{n}"),
                replace(new_key(n + 400), version=new_version(n)),  # the secret of this batch's first
                replace(new_key(n), version=new_version(n + 500)),  # the id of this batch's first
                new_key(n + 600, f"key-{n}"),  # the name of this batch's first
            ]
            expected += [
                None,
                None,
                None,
                InvalidNameError,
                NameTakenError,
                KeyGoneError,
                KeyGoneError,
                KeyExistsError,
                KeyExistsError,
                NameTakenError,
            ]
        before = actions()

        results = transport.register_many(news)

        assert [type(result.error) if result.error else None for result in results] == expected
        assert [result.created for result in results] == ([True] + [False] * 9) * 10
        shown = [result.key.name for result in results if result.key is not None]
        assert shown == [name for n in range(10, 20) for name in (f"key-{n}", "there", "there")]
        assert [transport.find(f"key-{n}").id for n in range(10, 20)] == [key_id(n) for n in range(10, 20)]
        assert len(transport.page(KeyQuery()).keys) == 12
        assert actions() == before + ["key.imported"] * 10

    def test_importing_again_changes_nothing(self, transport: Transport, actions: Actions) -> None:
        news = [new_key(n) for n in range(5)]
        first = transport.register_many(news)
        again = transport.register_many([replace(new, id=key_id(n + 50)) for n, new in enumerate(news)])

        assert [result.created for result in first] == [True] * 5
        assert [(result.created, result.error) for result in again] == [(False, None)] * 5
        assert [key.id for result in again if (key := result.key)] == [key_id(n) for n in range(5)]
        assert actions() == ["key.imported"] * 5

    def test_what_a_batch_answers_is_what_the_store_has(self, transport: Transport) -> None:
        results = transport.register_many([new_key(n, tags={"b": "1", "a": "2"}, rpm=n + 1) for n in range(3)])

        assert [result.key for result in results] == [transport.find(key_id(n)) for n in range(3)]

    def test_an_empty_batch_is_nothing(self, transport: Transport, actions: Actions) -> None:
        assert transport.register_many([]) == []
        assert actions() == []
