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

from routic_cli.delivery.sink import Placement, Sink
from routic_cli.domain.errors import (
    DeliveryError,
    KeyNotFoundError,
    NameTakenError,
    OutcomeUnknownError,
    RouticError,
)
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyTraits, NewKey, NewVersion, UnixSeconds
from routic_cli.domain.minting import mint_operation_id, mint_secret
from routic_cli.domain.secret import Secret
from routic_cli.store.state import Operation, PlacedVersion
from routic_cli.transport.interface import Transport
from routic_cli.workflows.interruption import Interruption
from routic_cli.workflows.journal import Journal

STDOUT_KIND = "stdout"


@dataclass(frozen=True, slots=True)
class Desk:
    """What an issue works with: a store by its transport and URL, this machine's journal, the time."""

    transport: Transport
    store_url: str
    journal: Journal
    now: UnixSeconds


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One secret on its way: a version of a key, its destinations, and the write that makes it valid."""

    kind: str
    key_id: KeyId
    number: int
    secret: Secret
    sinks: Sequence[Sink]
    register: Callable[[], Key]


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
    return _deliver(_Delivery("create", key_id, 1, secret, sinks, register=lambda: desk.transport.register(new)), desk)


def version_of(secret: Secret, *, number: int, at: UnixSeconds) -> NewVersion:
    """What a store is told of a secret."""
    return NewVersion(number, secret.fingerprint, secret.hint, at)


def _deliver(delivery: _Delivery, desk: Desk) -> Key:
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
                placements = [placed for sink in delivery.sinks if (placed := sink.commit()) is not None]
        except BaseException as error:
            with interruption.held():
                _give_up(delivery, desk, operation, error)
            raise
        with interruption.held():
            if operation is not None:
                desk.journal.end(operation, [_placed(each, delivery, desk) for each in placements])
    return key


def _register(delivery: _Delivery) -> Key:
    try:
        return delivery.register()
    except OutcomeUnknownError:
        return delivery.register()  # the same id and hash again is success


def _give_up(delivery: _Delivery, desk: Desk, operation: Operation | None, error: BaseException) -> None:
    """Undo what was done and declare the secret dead; when that cannot be done either, say what is unknown."""
    undoing: list[Callable[[], None]] = [sink.undo for sink in reversed(delivery.sinks)]
    undoing.append(lambda: desk.transport.give_up(delivery.key_id, delivery.number))
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


def _what_is_dead(delivery: _Delivery, not_done: str) -> str:
    said = not_done or "No key was created"
    if any(sink.kind == STDOUT_KIND for sink in delivery.sinks):
        return f"{said.rstrip('.')}. Discard this key if it was printed: it is dead"
    return said


def _operation(delivery: _Delivery, desk: Desk) -> Operation | None:
    """The journal's entry; None when no destination leaves anything behind that a crash could strand."""
    records = [sink.record() for sink in delivery.sinks]
    if all(record["kind"] == STDOUT_KIND for record in records):
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
    )


def _placed(placement: Placement, delivery: _Delivery, desk: Desk) -> PlacedVersion:
    return PlacedVersion(
        kind=placement.kind,
        location=placement.location,
        variable=placement.variable,
        store=desk.store_url,
        key_id=delivery.key_id,
        number=delivery.number,
        sha256=delivery.secret.fingerprint,
        placed_at=desk.now,
    )
