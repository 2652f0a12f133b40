"""Who uses which version of a key since its rotation: what a rotation waits for before it ends the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from routic_cli.domain.errors import ConflictError, InsufficientScopeError
from routic_cli.domain.keys import Key, KeyVersion, UnixSeconds
from routic_cli.domain.traffic import Dimension, Traffic, TrafficQuery, TrafficSort
from routic_cli.domain.usage import USES
from routic_cli.transport.usage import UsageTransport

QUIET_SECONDS: Final = 3600
"""For so long nobody may have used a version that is ended without force: a job that runs by the hour is heard of."""

_SHOWN: Final = 5
BUSIEST: Final = 20
"""Callers of a version that are told one by one: a key of many clients may have a hundred thousand of them."""

_CALLERS: Final = (Dimension.ADDRESS, Dimension.AGENT)


@dataclass(frozen=True, slots=True)
class VersionUse:
    """The calls with one version from one address by one program that were let in, since the rotation.

    Address and agent are None for all callers together that are not among the busiest, and empty where there is none.
    The log counts by the hour: calls before the rotation in the same hour are among them.
    """

    version: int
    address: str | None
    agent: str | None
    calls: int
    last_at: UnixSeconds


def rotated_at(key: Key) -> UnixSeconds:
    """When the current version took the place of the one before."""
    return key.current.created_at


def uses_since_rotation(key: Key, usage: UsageTransport) -> list[VersionUse]:
    """Who used the key since its rotation, the latest first, of each version the busiest and the sum of the others.

    InsufficientScopeError when that may not be asked.
    """
    since = rotated_at(key)
    query = replace(_uses_of(key, since), by=(Dimension.VERSION,))
    found: list[VersionUse] = []
    for total in usage.summary(query).rows:
        version = total.labels[0]
        if isinstance(version, int) and total.last_at >= since:
            found += _busiest(replace(query, by=_CALLERS, version=version), total, usage)
    found = [use for use in found if use.last_at >= since]
    return sorted(found, key=_latest_first)


def require_quiet(key: Key, old: KeyVersion, usage: UsageTransport, now: UnixSeconds) -> None:
    """ConflictError when the old version was let in since the rotation, and within the last hour; it says who."""
    since = max(rotated_at(key), now - QUIET_SECONDS)
    try:
        latest = replace(_uses_of(key, since), by=_CALLERS, version=old.number, limit=_SHOWN + 1)
        rows = usage.summary(replace(latest, sort=TrafficSort.LAST_AT, descending=True)).rows
        callers = [_in_brackets(row) for row in rows if row.last_at >= since]
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


def _latest_first(use: VersionUse) -> tuple[bool, int, int, str, str]:
    return use.address is None, -use.last_at, use.version, use.address or "", use.agent or ""


def _uses_of(key: Key, since: UnixSeconds) -> TrafficQuery:
    return TrafficQuery((), since=since, key_ids=(key.id,), outcomes=tuple(sorted(USES)))


def _busiest(query: TrafficQuery, total: Traffic, usage: UsageTransport) -> list[VersionUse]:
    """The busiest callers of the version in `query`, and all others as one."""
    version = query.version or 0
    query = replace(query, descending=True, limit=BUSIEST + 1)
    busiest = usage.summary(replace(query, sort=TrafficSort.CALLS)).rows
    shown = {row.labels for row in busiest[:BUSIEST]}
    found = [
        VersionUse(version, str(row.labels[0] or ""), str(row.labels[1] or ""), row.calls, row.last_at)
        for row in busiest[:BUSIEST]
    ]
    if len(busiest) > BUSIEST:
        # One more than are shown: the latest of the others is among these.
        latest = usage.summary(replace(query, sort=TrafficSort.LAST_AT)).rows
        last_at = max(row.last_at for row in [*busiest, *latest] if row.labels not in shown)
        calls = total.calls - sum(use.calls for use in found)
        found.append(VersionUse(version, None, None, calls, last_at))
    return found


def _in_brackets(row: Traffic) -> str:
    address, agent = row.labels
    return f"{address or 'no address'} ({agent or 'no agent'})"


def _in_words(callers: Sequence[str]) -> str:
    more = " and others" if len(callers) > _SHOWN else ""
    return ", ".join(callers[:_SHOWN]) + more
