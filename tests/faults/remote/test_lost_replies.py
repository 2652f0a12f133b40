"""The remote transport and replies that are lost on their way: nothing is said of a key that is not so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routic_cli.domain.errors import (
    InvalidCredentialError,
    KeyGoneError,
    KeyNotFoundError,
    OutcomeUnknownError,
    RouticError,
    StoreLockedError,
    UnavailableError,
)
from routic_cli.domain.keys import VerdictStatus
from routic_cli.transport.exchange import ATTEMPTS
from routic_cli.transport.remote import RemoteTransport
from tests.support.hostile import (
    Between,
    Liar,
    resets,
    says,
)
from tests.support.keys import key_id, new_key, new_version, sha256
from tests.support.remote_faults import CHANGES, LOOKS, PATIENT, Ground, error, said

# A reply that is lost on its way


@pytest.mark.parametrize("name", CHANGES)
def test_a_lost_reply_is_asked_for_again_and_the_change_was_made_once(
    ground: Ground, asking: Callable[..., RemoteTransport], name: str
) -> None:
    if not name.startswith("register"):
        ground.transport.register(new_key(1))
    before = len(ground.transport.trail(limit=10))
    with Between(ground.url, swallow=lambda method, n: n == 1) as between:
        CHANGES[name](asking(between.url, ground=ground, timeouts=PATIENT))
        assert (len(between.swallowed), between.connections) == (1, 2)
        assert between.swallowed[0].startswith(b"HTTP/1.1 200 ")
        first, second = between.requests
        assert first == second
    made = len(ground.transport.trail(limit=10)) - before
    assert made == (0 if name == "end a version" else 1)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_whose_replies_are_all_lost_is_unknown_and_never_said_not_to_have_been_made(
    ground: Ground, asking: Callable[..., RemoteTransport], name: str
) -> None:
    if not name.startswith("register"):
        ground.transport.register(new_key(1))
    with Between(ground.url, swallow=lambda method, n: True) as between:
        with pytest.raises(OutcomeUnknownError) as caught:
            CHANGES[name](asking(between.url, ground=ground, timeouts=PATIENT))
        assert len(between.swallowed) == ATTEMPTS
        assert all(reply.startswith(b"HTTP/1.1 200 ") for reply in between.swallowed)
    assert caught.value.not_done == "It may or may not have been made"
    assert "othing" not in said(caught.value)
    if name.startswith("register"):  # the server did it
        assert ground.transport.verify(sha256(1)).status is VerdictStatus.ACTIVE
    if name in {"revoke", "give up"}:
        assert ground.transport.verify(sha256(1)).status is VerdictStatus.REVOKED


def test_revoke_whose_first_reply_is_lost_says_that_it_has_revoked(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    for n in (1, 2):
        ground.transport.register(new_key(n))
    with Between(ground.url, swallow=lambda method, n: n == 1) as between:
        transport = asking(between.url, ground=ground, timeouts=PATIENT)
        results = transport.revoke([key_id(1), sha256(2), sha256(1), key_id(9)], "leaked")
        assert [result.changed for result in results] == [True, True, False, False]
        assert [result.changed for result in transport.revoke([key_id(1)], None)] == [False]


def test_a_lookup_whose_replies_are_all_lost_changed_nothing(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    with Between(ground.url, swallow=lambda method, n: True) as between:
        for look in LOOKS.values():
            with pytest.raises(UnavailableError) as caught:
                look(asking(between.url, ground=ground))
            assert (type(caught.value), caught.value.not_done) == (UnavailableError, "Nothing was changed")


def test_a_request_that_was_held_up_cannot_bring_a_key_called_dead_to_life(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    with Between(ground.url, hold=lambda method, n: method == "PUT") as between:
        transport = asking(between.url, ground=ground)
        with pytest.raises(OutcomeUnknownError):
            transport.register(new_key(1))
        transport.give_up(key_id(1), 1, sha256(1))
        late = between.deliver(between.held[0])
    assert late.startswith(b"HTTP/1.1 410 ")
    assert ground.transport.verify(sha256(1)).status is VerdictStatus.UNKNOWN
    with pytest.raises(KeyNotFoundError):
        ground.transport.find(key_id(1))


def test_a_version_that_was_held_up_cannot_come_to_life_either(
    ground: Ground, asking: Callable[..., RemoteTransport]
) -> None:
    ground.transport.register(new_key(1))
    with Between(ground.url, hold=lambda method, n: method == "PUT") as between:
        transport = asking(between.url, ground=ground)
        with pytest.raises(OutcomeUnknownError):
            transport.add_version(key_id(1), new_version(1, 2))
        transport.give_up(key_id(1), 2, sha256(1, 2))
        assert between.deliver(between.held[0]).startswith(b"HTTP/1.1 410 ")
    assert [version.number for version in ground.transport.find(key_id(1)).versions] == [1]
    assert ground.transport.verify(sha256(1)).status is VerdictStatus.ACTIVE


def test_an_answer_after_a_lost_one_counts_only_where_it_tells_what_became_of_the_first(
    asking: Callable[..., RemoteTransport],
) -> None:
    for refusal, kind in [
        (error(InvalidCredentialError("The credential is not known")), OutcomeUnknownError),
        (error(StoreLockedError("The store is locked")), OutcomeUnknownError),
        (says(302, Location="https://elsewhere.example/"), OutcomeUnknownError),
        (error(KeyGoneError("The key is revoked")), KeyGoneError),
    ]:
        with Liar(resets, refusal) as liar, pytest.raises(RouticError) as caught:
            asking(liar.url).register(new_key(1))
        assert type(caught.value) is kind, said(caught.value)
