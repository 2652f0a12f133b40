"""What a rotation does to the versions of a key, worked out before any store has done it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from routic_cli.domain.keys import Key, KeyVersion, NewVersion, UnixSeconds


def ends_of_rotation(key: Key, *, now: UnixSeconds, grace: int) -> Mapping[int, UnixSeconds]:
    """When each earlier version ends: the current one after the grace period, one that is retiring already at once."""
    ends = {key.current.number: now + grace}
    for version in retiring_versions(key, now):
        ends[version.number] = now
    return ends


def retiring_versions(key: Key, now: UnixSeconds) -> list[KeyVersion]:
    """The versions beside the current one that are still let in."""
    return [
        version
        for version in key.versions
        if version.number != key.current.number and (version.expires_at is None or version.expires_at > now)
    ]


def rotated(key: Key, new: NewVersion, ends: Mapping[int, UnixSeconds]) -> Key:
    """The key as it will be: what may be shown before the store has answered."""
    before = tuple(
        replace(version, expires_at=ends[version.number]) if version.number in ends else version
        for version in key.versions
    )
    latest = KeyVersion(new.number, new.sha256, new.hint, new.created_at)
    return replace(key, versions=(*before, latest))
