"""Who uses which version of a key since its rotation: what a rotation waits for before it ends the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from routic_cli.domain.errors import ConflictError, InsufficientScopeError
from routic_cli.domain.keys import Key, KeyVersion, UnixSeconds
from routic_cli.domain.traffic import Dimension, Summary, TrafficQuery
from routic_cli.domain.usage import USES
from routic_cli.transport.usage import UsageTransport

QUIET_SECONDS: Final = 3600
"""For so long nobody may have used a version that is ended without force: a job that runs by the hour is heard of."""

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class VersionUse:
    """The calls with one version from one address by one program that were let in, since the rotation.

    The log counts by the hour: calls before the rotation in the same hour are among them.
    """

    version: int
    address: str
    agent: str
    calls: int
    last_at: UnixSeconds


def rotated_at(key: Key) -> UnixSeconds:
    """When the current version took the place of the one before."""
    return key.current.created_at


def uses_since_rotation(key: Key, usage: UsageTransport) -> list[VersionUse]:
    """Who used the key since its rotation, the latest first. InsufficientScopeError when that may not be asked."""
    by = (Dimension.VERSION, Dimension.ADDRESS, Dimension.AGENT)
    since = rotated_at(key)
    query = TrafficQuery(by, since=since, key_ids=(key.id,), outcomes=tuple(sorted(USES)))
    found = [use for use in _uses(usage.summary(query)) if use.last_at >= since]
    return sorted(found, key=lambda use: (-use.last_at, use.version, use.address, use.agent))


def require_quiet(key: Key, old: KeyVersion, usage: UsageTransport, now: UnixSeconds) -> None:
    """ConflictError when the old version was let in since the rotation, and within the last hour; it says who."""
    since = max(rotated_at(key), now - QUIET_SECONDS)
    try:
        recent = [u for u in uses_since_rotation(key, usage) if u.version == old.number and u.last_at >= since]
        callers = [f"{use.address} ({use.agent or 'no agent'})" for use in recent]
    except InsufficientScopeError:  # the key itself says when, to whoever may rotate it
        callers = []
    last = old.last_used_at
    if not callers and (last is None or last < since):
        return
    raise ConflictError(
        f"Version {old.number} of '{key.name}' is still in use",
        why=f"Let in within the last hour: {_in_words(callers)}" if callers else "It was let in within the last hour",
        not_done="It was not ended",
        remedy=f"routic rotate {key.name} --status, to see who uses it, or --finish --force",
    )


def _uses(summary: Summary) -> list[VersionUse]:
    found = []
    for row in summary.rows:
        version, address, agent = row.labels
        if isinstance(version, int):
            found.append(VersionUse(version, str(address or ""), str(agent or ""), row.calls, row.last_at))
    return found


def _in_words(callers: Sequence[str]) -> str:
    more = f" and {len(callers) - _SHOWN} more" if len(callers) > _SHOWN else ""
    return ", ".join(callers[:_SHOWN]) + more
