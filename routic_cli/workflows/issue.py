"""The delivery protocol: a key never exists before its holder has it.

    Preflight   destinations safe, name free, store reachable; nothing has happened if this fails
    Prepare     the secret where it was asked for, durably, replacing nothing
    Register    one idempotent write of id, version, fingerprint and hint
    Commit      staged files over the real ones
    Complete    (rotation) only now the old version gets its end

Giving up leaves a tombstone, so that no request held up somewhere brings a secret called dead to life.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from routic_cli.delivery.sink import STDOUT, Sink
from routic_cli.domain.errors import (
    ConflictError,
    DeliveryError,
    KeyNotFoundError,
    NameTakenError,
    OutcomeUnknownError,
    RouticError,
)
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyTraits, NewKey, NewVersion, UnixSeconds
from routic_cli.domain.minting import mint_operation_id, mint_secret
from routic_cli.domain.operations import Operation, PlacedVersion
from routic_cli.domain.secret import Secret
from routic_cli.store.state import StateStore
from routic_cli.transport.interface import Transport
from routic_cli.workflows.interruption import Interruption
from routic_cli.workflows.journal import Journal


@dataclass(frozen=True, slots=True)
class Desk:
    """What an issue works with: a store by its transport and URL, this machine's memory, the time.

    `warn` tells of what went wrong beside the point: the key is delivered and valid all the same.
    """

    transport: Transport
    store_url: str
    journal: Journal
    now: UnixSeconds
    state: StateStore
    warn: Callable[[str], None] = lambda _: None

    def forget_sealed(self, key_id: KeyId, *, but: int | None = None) -> None:
        """What an abort would have needed is of no use any more."""
        self.state.forget_sealed(self.store_url, key_id, but=but)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One secret on its way: a version of a key, its destinations, and the write that makes it valid.

    A rotation retires `previous`, which lives on for `grace` seconds after `complete`. `guard` looks once more at what
    preflight saw, now that the places are locked: another routic may have been faster.
    """

    kind: str
    key_id: KeyId
    number: int
    secret: Secret
    sinks: Sequence[Sink]
    register: Callable[[], Key]
    complete: Callable[[Key], Key] = lambda key: key
    previous: int | None = None
    grace: int | None = None
    guard: Callable[[], object] = lambda: None


def preflight_create(traits: KeyTraits, sinks: Sequence[Sink], transport: Transport) -> None:
    """Everything that can fail before a secret exists. `traits` are in normal form."""
    for sink in sinks:
        sink.preflight()
    transport.require_writable()
    try:
        owner = transport.find(traits.name)
    except KeyNotFoundError:
        return
    if owner.name == traits.name and owner.status is KeyStatus.ACTIVE:
        raise NameTakenError(
            f"The name '{traits.name}' is taken",
            why=f"{owner.id} has it and is active",
            not_done="No key was created",
            remedy=f"routic keys show {traits.name}, or take another name",
            param="name",
        )


def create_key(
    key_id: KeyId,
    traits: KeyTraits,
    sinks: Sequence[Sink],
    desk: Desk,
    guard: Callable[[], object] = lambda: None,
) -> Key:
    """Mint a secret, deliver it, register the key; what is asked for has passed `preflight_create`."""
    secret = mint_secret()
    new = NewKey(key_id, traits, version_of(secret, number=1, at=desk.now))
    return deliver(
        Delivery("create", key_id, 1, secret, sinks, lambda: desk.transport.register(new), guard=guard), desk
    )


def version_of(secret: Secret, *, number: int, at: UnixSeconds) -> NewVersion:
    """What a store is told of a secret."""
    return NewVersion(number, secret.fingerprint, secret.hint, at)


def deliver(delivery: Delivery, desk: Desk) -> Key:
    """Prepare, register, commit, complete; or undo, and declare the secret dead."""
    interruption = Interruption()
    operation = _operation(delivery, desk)
    progress = _Progress.PREPARING
    with interruption.watching():
        interruption.hold()
        if operation is not None:
            desk.journal.begin(operation)
        try:
            with interruption.allowed():
                for sink in delivery.sinks:
                    sink.prepare(delivery.secret)
                delivery.guard()
            progress = _Progress.REGISTERING
            key = _register(delivery)
            progress = _Progress.REGISTERED
            interruption.raise_pending()
            for sink in delivery.sinks:
                sink.commit()
        except BaseException as error:
            _give_up(delivery, desk, operation, error, may_be_valid=progress.may_be_valid_after(error))
            raise
        key = delivery.complete(key)
        if operation is not None:
            _close(operation, delivery, desk)
    return key


class _Progress(Enum):
    """How far the registration has come, for what an error then says of it."""

    PREPARING = "preparing"
    REGISTERING = "registering"
    REGISTERED = "registered"

    def may_be_valid_after(self, error: BaseException) -> bool:
        """A store that says no, or was never reached, has registered nothing; any other error leaves it open."""
        refused = isinstance(error, RouticError) and not error.may_have_happened
        return self is _Progress.REGISTERED or (self is _Progress.REGISTERING and not refused)


def _register(delivery: Delivery) -> Key:
    try:
        return delivery.register()
    except OutcomeUnknownError as unknown:
        try:
            return delivery.register()  # the same id and hash again is success
        except ConflictError as conflict:
            # An answer, and yet the first request may be held up somewhere: its secret has to be called dead.
            conflict.may_have_happened = True
            raise
        except RouticError:
            raise unknown from None


def _give_up(
    delivery: Delivery, desk: Desk, operation: Operation | None, error: BaseException, *, may_be_valid: bool
) -> None:
    """Undo what was done and declare the secret dead; when that cannot be done either, say what is unknown."""
    tidied = _all_done([sink.undo for sink in reversed(delivery.sinks)])
    stuck = [place for sink in delivery.sinks if (place := _still_at(sink, delivery))] if tidied else []
    if may_be_valid and stuck:
        # Calling it dead now would lock out whoever reads that place. The journal keeps the operation.
        if isinstance(error, RouticError):
            error.not_done = (
                f"{', '.join(stuck)} could not be put back: the new secret is there, and stays valid. The next command"
                " that changes something finishes what was begun"
            )
        return
    if may_be_valid:
        failures = _all_done([lambda: _call_dead(delivery, desk)])
        if failures:
            # The journal keeps the operation: the next command that changes something tries again.
            raise DeliveryError(
                f"The delivery failed, and so did calling it off: {delivery.key_id} may be active",
                why="; ".join(dict.fromkeys([*_sentences(error), *failures])),
                not_done="Discard every copy of this key",
                remedy=f"routic keys revoke {delivery.key_id} --yes",
            ) from error
    if operation is not None and not tidied:
        tidied = _all_done([lambda: desk.journal.end(operation)])
    for failure in tidied:
        desk.warn(f"What was prepared could not all be removed: {failure}")
    if isinstance(error, RouticError):
        error.not_done = _what_is_dead(delivery, error.not_done)


def _all_done(steps: Sequence[Callable[[], None]]) -> list[str]:
    """Every step is tried; what went wrong with those that failed."""
    failures: list[str] = []
    for step in steps:
        try:
            step()
        except (RouticError, OSError) as failure:
            failures += _sentences(failure)
    return failures


def _still_at(sink: Sink, delivery: Delivery) -> str | None:
    """The place where the secret is although it should have been taken back."""
    place = sink.placement()
    try:
        return place.location if place is not None and sink.holds(delivery.secret.fingerprint) else None
    except RouticError:
        return None


def _call_dead(delivery: Delivery, desk: Desk) -> None:
    desk.transport.give_up(delivery.key_id, delivery.number, delivery.secret.fingerprint)


def _sentences(error: BaseException) -> list[str]:
    return error.sentences() if isinstance(error, RouticError) else [str(error) or type(error).__name__]


def _what_is_dead(delivery: Delivery, said: str) -> str:
    nothing = "No key was created" if delivery.previous is None else "No version was created"
    parts = [said.rstrip(".")] if said else []
    if nothing not in said:
        parts.insert(0, nothing)
    if any(sink.kind == STDOUT for sink in delivery.sinks):
        parts.append("Discard this key if it was printed: it is dead")
    return ". ".join(parts)


def _close(operation: Operation, delivery: Delivery, desk: Desk) -> None:
    try:
        desk.journal.end(operation, placed_versions(operation, delivery.sinks, desk.now))
    except (RouticError, OSError) as error:
        # What was promised is done. The next command that changes something finds the operation, and closes it.
        desk.warn(f"This machine could not note where the key is: {'. '.join(_sentences(error)[:2])}")


def _operation(delivery: Delivery, desk: Desk) -> Operation | None:
    """The journal's entry; None when no crash could leave anything half done: one secret printed, one write."""
    records = [sink.record() for sink in delivery.sinks]
    if delivery.previous is None and all(record["kind"] == STDOUT for record in records):
        return None
    return Operation(
        id=mint_operation_id(),
        store=desk.store_url,
        kind=delivery.kind,
        key_id=delivery.key_id,
        number=delivery.number,
        sha256=delivery.secret.fingerprint,
        sinks=records,
        started_at=desk.now,
        previous=delivery.previous,
        grace=delivery.grace,
    )


def placed_versions(operation: Operation, sinks: Sequence[Sink], now: UnixSeconds) -> list[PlacedVersion]:
    """The places that hold the operation's version, as this machine will remember them."""
    return [
        PlacedVersion(
            kind=placement.kind,
            location=placement.location,
            variable=placement.variable,
            store=operation.store,
            key_id=operation.key_id,
            number=operation.number,
            sha256=operation.sha256,
            placed_at=now,
        )
        for placement in (sink.placement() for sink in sinks)
        if placement is not None
    ]
