"""What became of the places that routic put a key into: whether they still hold it, and which version."""

from __future__ import annotations

from enum import StrEnum

from routic_cli.delivery.placed import read_secret
from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import Key, UnixSeconds, VersionStatus
from routic_cli.domain.lifecycle import version_status
from routic_cli.domain.operations import PlacedVersion


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
