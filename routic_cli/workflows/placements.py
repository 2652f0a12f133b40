"""What became of the places that routic put a key into: whether they still hold it, and which version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from routic_cli.delivery.placed import read_place, read_secret
from routic_cli.delivery.sink import Placement, Sink
from routic_cli.domain.errors import RouticError, UnsafeDestinationError
from routic_cli.domain.keys import Key, KeyId, UnixSeconds, VerdictStatus, VersionStatus
from routic_cli.domain.lifecycle import version_status
from routic_cli.domain.operations import PlacedVersion
from routic_cli.transport.interface import Transport


class PlacementState(StrEnum):
    """What a place holds now, told by its hash."""

    CURRENT = "current"
    RETIRING = "retiring"
    ENDED = "ended"
    CHANGED = "changed"
    MISSING = "missing"
    UNREADABLE = "unreadable"


def inspect(placed: PlacedVersion, key: Key, now: UnixSeconds) -> PlacementState:
    """Which version of the key the place holds; CHANGED when it is none of them, MISSING when nothing is there."""
    try:
        secret = read_secret(placed, expected=key.current.sha256)
    except RouticError:
        return PlacementState.UNREADABLE
    if secret is None:
        return PlacementState.MISSING
    sha256 = secret.fingerprint
    version = next((each for each in key.versions if each.sha256 == sha256), None)
    if version is None:
        return PlacementState.CHANGED
    status = version_status(key, version, now)
    return {
        VersionStatus.CURRENT: PlacementState.CURRENT,
        VersionStatus.RETIRING: PlacementState.RETIRING,
        VersionStatus.ENDED: PlacementState.ENDED,
    }[status]


def require_expendable(
    sinks: Sequence[Sink],
    key_id: KeyId,
    transport: Transport,
    remembered: Callable[[Placement], PlacedVersion | None],
    *,
    force: bool,
) -> list[str]:
    """UnsafeDestinationError when a place holds another key that is let in, and would lose it; sentences if forced.

    The store tells of its own keys; of another store's, what this machine remembers of the place has to do.
    """
    notices = []
    for sink in sinks:
        place = sink.placement()
        owner = _other_owner(place, key_id, transport, remembered) if place is not None else None
        if place is None or owner is None:
            continue
        what = f"{place.location} holds {owner} in {place.variable}"
        if not force:
            raise UnsafeDestinationError(
                what,
                why="It would be overwritten, and nobody can show it again",
                not_done="Nothing was created, and the file has not been changed",
                remedy="--var OTHER_NAME, or revoke that key first, or --force",
            )
        notices.append(f"{what}; it is overwritten")
    return notices


def _other_owner(
    place: Placement,
    key_id: KeyId,
    transport: Transport,
    remembered: Callable[[Placement], PlacedVersion | None],
) -> str | None:
    try:
        secret = read_place(place)
    except RouticError:
        return None  # the sink's own preflight tells what is wrong with the place
    if secret is None:
        return None
    verdict = transport.verify(secret.fingerprint)
    if verdict.key is not None:
        alive = verdict.key.id != key_id and verdict.status is VerdictStatus.ACTIVE
        return f"the key '{verdict.key.name}' ({verdict.key.id}), which is active," if alive else None
    placed = remembered(place)
    if placed is not None and placed.sha256 == secret.fingerprint:
        return f"the key {placed.key_id} of another store ({placed.store})"
    return None
