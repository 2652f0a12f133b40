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

from routic_cli.delivery.sink import STDOUT, Sink
from routic_cli.domain.errors import (
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
from routic_cli.transport.interface import Transport
from routic_cli.workflows.interruption import Interruption
from routic_cli.workflows.journal import Journal


@dataclass(frozen=True, slots=True)
class Desk:
    """What an issue works with: a store by its transport and URL, this machine's journal, the time."""

    transport: Transport
    store_url: str
    journal: Journal
    now: UnixSeconds


@dataclass(frozen=True, slots=True)
class Delivery:
    """One secret on its way: a version of a key, its destinations, and the write that makes it valid.

    A rotation retires `previous`, which lives on for `grace` seconds after `complete`.
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


def preflight_create(traits: KeyTraits, sinks: Sequence[Sink], transport: Transport) -> None:
    """Everything that can fail before a secret exists. `traits` are in normal form."""
    for sink in sinks:
        sink.preflight()
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


def create_key(key_id: KeyId, traits: KeyTraits, sinks: Sequence[Sink], desk: Desk) -> Key:
    """Mint a secret, deliver it, register the key; what is asked for has passed `preflight_create`."""
    secret = mint_secret()
    new = NewKey(key_id, traits, version_of(secret, number=1, at=desk.now))
    return deliver(Delivery("create", key_id, 1, secret, sinks, lambda: desk.transport.register(new)), desk)


def version_of(secret: Secret, *, number: int, at: UnixSeconds) -> NewVersion:
    """What a store is told of a secret."""
    return NewVersion(number, secret.fingerprint, secret.hint, at)


def deliver(delivery: Delivery, desk: Desk) -> Key:
    """Prepare, register, commit, complete; or undo, and declare the secret dead."""
    interruption = Interruption()
    operation = _operation(delivery, desk)
    with interruption.watching():
        with interruption.held():
            if operation is not None:
                desk.journal.begin(operation)
        try:
            interruption.raise_pending()
            for sink in delivery.sinks:
                sink.prepare(delivery.secret)
            with interruption.held():
                key = _register(delivery)
                interruption.raise_pending()
                for sink in delivery.sinks:
                    sink.commit()
        except BaseException as error:
            with interruption.held():
                _give_up(delivery, desk, operation, error)
            raise
        with interruption.held():
            key = delivery.complete(key)
            if operation is not None:
                desk.journal.end(operation, placed_versions(operation, delivery.sinks, desk.now))
    return key


def _register(delivery: Delivery) -> Key:
    try:
        return delivery.register()
    except OutcomeUnknownError:
        return delivery.register()  # the same id and hash again is success


def _give_up(delivery: Delivery, desk: Desk, operation: Operation | None, error: BaseException) -> None:
    """Undo what was done and declare the secret dead; when that cannot be done either, say what is unknown."""
    undoing: list[Callable[[], None]] = [sink.undo for sink in reversed(delivery.sinks)]
    undoing.append(lambda: desk.transport.give_up(delivery.key_id, delivery.number, delivery.secret.fingerprint))
    failures: list[str] = []
    for undo in undoing:
        try:
            undo()
        except (RouticError, OSError) as failure:
            failures += _sentences(failure)
    if failures:
        # The journal keeps the operation: the next command that changes something tries again.
        raise DeliveryError(
            f"The delivery failed, and so did calling it off: {delivery.key_id} may be active",
            why="; ".join([*_sentences(error), *failures]),
            not_done="Discard every copy of this key",
            remedy=f"routic keys revoke {delivery.key_id} --yes",
        ) from error
    if operation is not None:
        desk.journal.end(operation)
    if isinstance(error, RouticError):
        error.not_done = _what_is_dead(delivery, error.not_done)


def _sentences(error: BaseException) -> list[str]:
    return error.sentences() if isinstance(error, RouticError) else [str(error) or type(error).__name__]


def _what_is_dead(delivery: Delivery, not_done: str) -> str:
    said = not_done or ("No key was created" if delivery.previous is None else "No version was created")
    if any(sink.kind == STDOUT for sink in delivery.sinks):
        return f"{said.rstrip('.')}. Discard this key if it was printed: it is dead"
    return said


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
