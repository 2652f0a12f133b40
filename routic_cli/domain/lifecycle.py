"""What time does to a key: which status it has, which of its versions are let in."""

from __future__ import annotations

from routic_cli.domain.keys import (
    Key,
    KeyStatus,
    KeyTraits,
    KeyVersion,
    NewKey,
    UnixSeconds,
    VerdictStatus,
    VersionStatus,
)


def key_status(*, revoked_at: UnixSeconds | None, expires_at: UnixSeconds | None, now: UnixSeconds) -> KeyStatus:
    """Revoked outweighs expired; the second that `expires_at` names is no longer part of the key's life."""
    if revoked_at is not None:
        return KeyStatus.REVOKED
    if expires_at is not None and expires_at <= now:
        return KeyStatus.EXPIRED
    return KeyStatus.ACTIVE


def lives(traits: KeyTraits, now: UnixSeconds) -> bool:
    """Whether a key with these traits, unless it is revoked, is active."""
    return key_status(revoked_at=None, expires_at=traits.expires_at, now=now) is KeyStatus.ACTIVE


def ended_at(key: Key) -> UnixSeconds | None:
    """When the key lost its name: at its end or its revocation, whichever came first. None while none is set."""
    return min((at for at in (key.revoked_at, key.traits.expires_at) if at is not None), default=None)


def version_status(key: Key, version: KeyVersion, now: UnixSeconds) -> VersionStatus:
    """Ended with its key or at its own end; retiring while a later version has taken its place."""
    if key.status is not KeyStatus.ACTIVE or (version.expires_at is not None and version.expires_at <= now):
        return VersionStatus.ENDED
    return VersionStatus.CURRENT if version.number == key.current.number else VersionStatus.RETIRING


def verdict_status(key: Key, version: KeyVersion, now: UnixSeconds) -> VerdictStatus:
    """What the gateway would answer to this secret of the key."""
    if key.status is KeyStatus.REVOKED:
        return VerdictStatus.REVOKED
    if version_status(key, version, now) is VersionStatus.ENDED:
        return VerdictStatus.EXPIRED
    return VerdictStatus.ACTIVE


def key_from_new(new: NewKey, now: UnixSeconds) -> Key:
    """The key that registering `new` results in: what a client may show before the store has answered."""
    version = new.version
    return Key(
        id=new.id,
        traits=new.traits,
        status=key_status(revoked_at=None, expires_at=new.traits.expires_at, now=now),
        versions=(KeyVersion(version.number, version.sha256, version.hint, version.created_at),),
        created_at=version.created_at,
    )
