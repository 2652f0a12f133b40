"""Rotation without an outage: the next version is delivered first, and only then the old one gets its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from routic_cli.delivery.placed import read_secret
from routic_cli.delivery.sink import Sink
from routic_cli.domain.errors import ConflictError, InvalidRequestError, KeyGoneError, RouticError, UnavailableError
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyVersion, UnixSeconds
from routic_cli.domain.minting import mint_operation_id, mint_secret
from routic_cli.domain.operations import Operation, PlacedVersion
from routic_cli.domain.rotation import retiring_versions
from routic_cli.domain.seal import seal, unseal
from routic_cli.domain.secret import Secret
from routic_cli.store.state import StateStore
from routic_cli.workflows.interruption import Interruption
from routic_cli.workflows.issue import Delivery, Desk, deliver, placed_versions, version_of
from routic_cli.workflows.placements import PlacementState, inspect

ABORT: Final = "abort"
_NOTHING_HAPPENED: Final = "No version was created"
_LONGEST_GRACE: Final = 366 * 86400
_CLOCK_TOLERANCE: Final = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rotation is going to do, known before a secret exists."""

    key: Key
    number: int
    grace: int
    ending_at_once: Sequence[KeyVersion]


def plan_rotation(key: Key, *, grace: int, now: UnixSeconds) -> Plan:
    """The plan for this key; KeyGoneError when it is not active, InvalidRequestError for a grace without end."""
    if key.status is not KeyStatus.ACTIVE:
        raise KeyGoneError(
            f"The key '{key.name}' ({key.id}) is {key.status}",
            why="Only an active key has a next version",
            not_done=_NOTHING_HAPPENED,
            remedy=f"routic keys create --name {key.name}",
        )
    if grace > _LONGEST_GRACE:
        raise InvalidRequestError(
            "The grace period is longer than a year",
            why="A secret that lives on so long was not replaced",
            not_done=_NOTHING_HAPPENED,
            remedy=f"routic rotate {key.name} --grace 30d",
            param="grace",
        )
    if now + _CLOCK_TOLERANCE < key.versions[-1].created_at:
        raise UnavailableError(
            "The clock of this machine is behind",
            why=f"The last version of '{key.name}' was created in its future, and a grace period would be over already",
            not_done=_NOTHING_HAPPENED,
            remedy="sudo timedatectl set-ntp true",
        )
    return Plan(key, key.versions[-1].number + 1, grace, retiring_versions(key, now))


def require_unheld(plan: Plan, left: Sequence[PlacedVersion], now: UnixSeconds, *, force: bool) -> None:
    """ConflictError when a place that is not renewed holds a version that this rotation ends at once."""
    holding = [each.location for each in left if inspect(each, plan.key, now) is PlacementState.RETIRING]
    if holding and plan.ending_at_once and not force:
        raise ConflictError(
            f"Version {plan.ending_at_once[-1].number} of '{plan.key.name}' is still in use, and would end at once",
            why=f"On this machine: {', '.join(holding)}",
            not_done=_NOTHING_HAPPENED,
            remedy=f"routic rotate {plan.key.name}, to renew every place, or --force",
        )


def rotate(
    plan: Plan, sinks: Sequence[Sink], desk: Desk, old: Secret | None, guard: Callable[[], object] = lambda: None
) -> Key:
    """Deliver the next version, register it, and retire the current one. The sinks have passed their preflight.

    `old` is the current secret where this machine can read it; it is kept, sealed by the new one, for `abort`.
    """
    key, secret = plan.key, mint_secret()
    version = version_of(secret, number=plan.number, at=desk.now)
    delivery = Delivery(
        kind="rotate",
        key_id=key.id,
        number=plan.number,
        secret=secret,
        sinks=sinks,
        register=lambda: desk.transport.add_version(key.id, version),
        complete=lambda _: _complete(plan, desk),
        previous=key.current.number,
        grace=plan.grace,
        guard=guard,
    )
    if old is not None:
        sealed = seal(old, by=secret, key_id=key.id)
        desk.state.keep_sealed(desk.store_url, key.id, plan.number, sealed)
    result = deliver(delivery, desk)
    desk.forget_sealed(key.id, but=plan.number if plan.grace else None)
    return result


def _complete(plan: Plan, desk: Desk) -> Key:
    try:
        return complete_rotation(desk, plan.key.id, plan.key.current.number, plan.grace)
    except RouticError as error:
        state = "may have no end yet" if error.may_have_happened else "has no end yet"
        error.not_done = (
            f"Version {plan.number} is delivered and valid; version {plan.key.current.number} {state},"
            " and gets it from the next command that changes something"
        )
        raise


def complete_rotation(desk: Desk, key_id: KeyId, previous: int, grace: int) -> Key:
    """Give the previous version its end, and end every older one at once. Doing it twice changes nothing more.

    Newer versions may be another rotation's, which was begun since; they are not touched. Where none lives on, an abort
    was faster: what it has put back stays.
    """
    key = desk.transport.find(key_id)
    replaced = any(version.number > previous and version.expires_at is None for version in key.versions)
    for version in key.versions if replaced else ():
        lives = version.expires_at is None or version.expires_at > desk.now
        if version.number == previous and version.expires_at is None:
            key = _retired(desk, key_id, previous, desk.now + grace)
        elif version.number < previous and lives:
            key = desk.transport.end_version(key_id, version.number, desk.now)
    return key


def _retired(desk: Desk, key_id: KeyId, number: int, at: UnixSeconds) -> Key:
    """The key, whose version has an end now: this one, or that of another rotation which has just ended it at once."""
    try:
        return desk.transport.end_version(key_id, number, at)
    except KeyGoneError:
        key = desk.transport.find(key_id)
        version = next((v for v in key.versions if v.number == number), None)
        if key.status is not KeyStatus.ACTIVE or version is None or version.expires_at is None:
            raise
        return key


def require_unused(
    key: Key, old: KeyVersion, placements: Sequence[PlacedVersion], now: UnixSeconds, *, force: bool
) -> None:
    """ConflictError while a place on this machine still holds the retiring version, unless `force`."""
    holding = [each for each in placements if inspect(each, key, now) is PlacementState.RETIRING]
    if holding and not force:
        raise ConflictError(
            f"Version {old.number} of '{key.name}' is still in use",
            why=f"On this machine: {', '.join(each.location for each in holding)}",
            not_done="It was not ended",
            remedy=f"routic rotate {key.name}, to renew every place, or --finish --force",
        )


def finish(key: Key, old: KeyVersion, desk: Desk) -> Key:
    """End the retiring version now."""
    ended = desk.transport.end_version(key.id, old.number, desk.now)
    desk.forget_sealed(key.id)
    return ended


@dataclass(frozen=True, slots=True)
class Return:
    """What an abort puts back: the old version, its secret where it can be opened, and the places of the new one."""

    old: KeyVersion
    secret: Secret | None
    places: Sequence[PlacedVersion]


def plan_abort(
    key: Key, placements: Sequence[PlacedVersion], state: StateStore, store_url: str, now: UnixSeconds
) -> Return:
    """What can be put back; ConflictError when no version is retiring, or the old secret cannot be opened."""
    old = retiring_version(key, now)
    places = [each for each in placements if inspect(each, key, now) is PlacementState.CURRENT]
    sealed = state.sealed(store_url, key.id, key.current.number)
    new = next((secret for each in places if (secret := read_secret(each)) is not None), None)
    secret = unseal(sealed, by=new, key_id=key.id, sha256=old.sha256) if sealed and new else None
    if places and secret is None:
        raise ConflictError(
            f"Version {old.number} of '{key.name}' cannot be put back",
            why="Its secret is on this machine no longer, not even sealed",
            not_done="Nothing was changed",
            remedy=f"routic rotate {key.name}, for another version",
        )
    return Return(old, secret, places)


def abort(key: Key, back: Return, sinks: Sequence[Sink], desk: Desk) -> Key:
    """The old version is current again. Both are let in until every place has the old secret back."""
    operation = Operation(
        id=mint_operation_id(),
        store=desk.store_url,
        kind=ABORT,
        key_id=key.id,
        number=back.old.number,
        sha256=back.old.sha256,
        sinks=[sink.record() for sink in sinks],
        started_at=desk.now,
        previous=key.current.number,
        until=back.old.expires_at,
    )
    interruption = Interruption()
    with interruption.watching():
        interruption.hold()
        desk.journal.begin(operation)
        try:
            desk.transport.end_version(key.id, back.old.number, None)
            _put_back(back.secret, sinks)
            interruption.raise_pending()
            result = desk.transport.end_version(key.id, key.current.number, desk.now)
        except BaseException:
            # The last write may have taken effect: the new version must be let in again before it is put back.
            desk.transport.end_version(key.id, key.current.number, None)
            for sink in reversed(sinks):
                sink.undo()
            desk.transport.end_version(key.id, back.old.number, back.old.expires_at)
            desk.journal.end(operation)
            raise
        desk.forget_sealed(key.id)
        desk.journal.end(operation, placed_versions(operation, sinks, desk.now))
    return result


def _put_back(secret: Secret | None, sinks: Sequence[Sink]) -> None:
    if secret is not None:
        for sink in sinks:
            sink.prepare(secret)
        for sink in sinks:
            sink.commit()


def retiring_version(key: Key, now: UnixSeconds) -> KeyVersion:
    """The version beside the current one that is still let in; ConflictError without any."""
    retiring = retiring_versions(key, now)
    if not retiring:
        raise ConflictError(
            f"No version of '{key.name}' is retiring",
            why=f"Version {key.current.number} is the only one that is let in",
            not_done="Nothing was changed",
            remedy=f"routic keys show {key.name}",
        )
    return retiring[-1]
