"""Times as people read them: how long ago for the eye, RFC 3339 for the record."""

from __future__ import annotations

import time
from typing import Final

from routic_cli.domain.keys import Key, KeyVersion, UnixSeconds

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MONTH: Final = 365 * _DAY / 12
_YEAR: Final = 365 * _DAY

# Each unit up to the count at which the next one says it better; `90 days` and `24 hours` are what people typed.
_UNITS: Final = ((_MINUTE, "minute", 60), (_HOUR, "hour", 48), (_DAY, "day", 100), (_MONTH, "month", 24))


def relative(at: UnixSeconds | None, now: UnixSeconds) -> str:
    """`3 days ago`, `in 2 hours`, `just now`; None is `never`. Rounded to the nearest."""
    if at is None:
        return "never"
    distance = abs(at - now)
    if distance < _MINUTE:
        return _counted(distance, "second", ahead=True) if at > now else "just now"
    for size, unit, limit in _UNITS:
        count = round(distance / size)
        if count < limit:
            return _counted(count, unit, ahead=at > now)
    return _counted(round(distance / _YEAR), "year", ahead=at > now)


def last_use(key: Key, now: UnixSeconds, version: KeyVersion | None = None) -> str:
    """When a key, or one version of it, was used last.

    Nobody can say "never" of what is older than the usage log: then it is "unknown".
    """
    at, since = (key.last_used_at, key.created_at) if version is None else (version.last_used_at, version.created_at)
    if at is not None:
        return relative(at, now)
    return "never" if key.usage_since is not None and key.usage_since <= since else "unknown"


def absolute(at: UnixSeconds) -> str:
    """RFC 3339 in UTC, to the second; the bare number for a time beyond all calendars."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    except (OverflowError, OSError, ValueError):
        return str(at)


def absolute_or_empty(at: UnixSeconds | None) -> str:
    """The same for a field of a line: nothing for None."""
    return "" if at is None else absolute(at)


def _counted(count: int, unit: str, *, ahead: bool) -> str:
    amount = f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"in {amount}" if ahead else f"{amount} ago"
