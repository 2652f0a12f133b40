"""When a version of a key may get which end: a key keeps one version that lives on, and what has ended stays ended."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.errors import ConflictError, KeyGoneError
from routic_cli.domain.keys import Key, KeyVersion, UnixSeconds

TAKEN_BACK_WITHIN: Final = 600
"""For so many seconds an abort that fails may put back the end that it gave the newest version."""

SETTLED_AFTER: Final = 86400
"""So many seconds after it was made, a version is taken for delivered: giving it up is revoking it."""

_NOT_DONE: Final = "No version was changed"


def changes_end(key: Key, version: KeyVersion, at: UnixSeconds | None, now: UnixSeconds) -> bool:
    """Whether the end is another one than it has; KeyGoneError or ConflictError when the version may not get it.

    An end in the past for what has ended changes nothing: the first end is the one that counted.
    """
    end = version.expires_at
    if end == at or (_is_past(end, now) and _is_past(at, now)):
        return False
    if end is None:
        _require_another_that_lives_on(key, version)
    elif at is None or at > end:
        _require_extensible(key, version, at, now)
    return True


def alive(version: KeyVersion, now: UnixSeconds) -> bool:
    """Whether its own end has not come."""
    return not _is_past(version.expires_at, now)


def is_settled(key: Key, version: KeyVersion, now: UnixSeconds) -> bool:
    """Whether somebody has worked with the version for so long that it was delivered without doubt."""
    return key.revoked_at is None and alive(version, now) and version.created_at + SETTLED_AFTER <= now


def _is_past(at: UnixSeconds | None, now: UnixSeconds) -> bool:
    return at is not None and at <= now


def _require_another_that_lives_on(key: Key, version: KeyVersion) -> None:
    """Without it the key would be active, and nobody could be let in with it."""
    if all(other.expires_at is not None for other in key.versions if other.number != version.number):
        raise ConflictError(
            f"Version {version.number} is the only one of '{key.name}' without an end",
            why="A key with no version that is let in would still count as active",
            not_done=_NOT_DONE,
            remedy=f"routic keys revoke {key.id}, or routic rotate {key.id}, for another version",
        )


def _require_extensible(key: Key, version: KeyVersion, at: UnixSeconds | None, now: UnixSeconds) -> None:
    """A version that is let in may live longer, if it is the only one beside the current one.

    One that has ended comes back in one case: an abort that ended the newest version could not do all of its work.
    """
    newest = version.number == key.versions[-1].number
    ended = version.expires_at is not None and version.expires_at <= now
    just_now = version.expires_at is not None and now - version.expires_at <= TAKEN_BACK_WITHIN
    if ended and not (newest and at is None and just_now):
        raise KeyGoneError(
            f"Version {version.number} of '{key.name}' has ended",
            why="What has ended stays ended: nobody knows who else has its secret",
            not_done=_NOT_DONE,
            remedy=f"routic rotate {key.id}, for another version",
        )
    if sum(alive(other, now) for other in key.versions if other.number != version.number) > 1:
        raise ConflictError(
            f"Two other versions of '{key.name}' are let in",
            why="A key has one current version, and at most one that is retiring",
            not_done=_NOT_DONE,
            remedy=f"routic keys show {key.id}",
        )
