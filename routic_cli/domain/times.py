"""Reading the times that people type: `90d`, `24h`, `2026-11-01`, RFC 3339, `never`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import UnixSeconds

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_DURATION: Final = re.compile(r"(\d{1,9})([smhdwy])")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
LATEST: Final = 253402300799  # 9999-12-31T23:59:59Z, the last second that datetime can show

FORMS: Final = "a duration (30m, 24h, 90d, 12w, 1y), a date (2026-11-01) or RFC 3339 (2026-11-01T12:00:00Z)"


def parse_duration(text: str, *, param: str) -> int:
    """Seconds in a duration such as `24h`; InvalidRequestError otherwise."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InvalidRequestError(
            f"--{param} cannot be '{text}'", why="It takes a duration: 30s, 45m, 24h, 90d, 12w, 1y", param=param
        )
    return int(match[1]) * _UNITS[match[2]]


def parse_expiry(text: str, *, now: UnixSeconds, param: str = "expires") -> UnixSeconds | None:
    """When something ends: `never` is None. A bare date means its first second, UTC. Must be ahead of `now`."""
    if text.strip().lower() == "never":
        return None
    at = _parse(text, now=now, direction=1, param=param, more=", or never")
    if at <= now:
        raise InvalidRequestError(f"--{param} {text} lies in the past", why=f"It takes {FORMS}, or never", param=param)
    return at


def parse_past(text: str, *, now: UnixSeconds, param: str) -> UnixSeconds:
    """A moment gone by: a duration counts back from `now`."""
    return _parse(text, now=now, direction=-1, param=param)


def parse_future(text: str, *, now: UnixSeconds, param: str) -> UnixSeconds:
    """A moment to come: a duration counts on from `now`."""
    return _parse(text, now=now, direction=1, param=param)


def _parse(text: str, *, now: UnixSeconds, direction: int, param: str, more: str = "") -> UnixSeconds:
    text = text.strip()
    if _DURATION.fullmatch(text):
        at = now + direction * parse_duration(text, param=param)
    else:
        at = _parse_instant(text, param=param, more=more)
    if not 0 <= at <= LATEST:
        raise InvalidRequestError(f"--{param} {text} is out of range", param=param)
    return at


def _parse_instant(text: str, *, param: str, more: str) -> UnixSeconds:
    try:
        if _DATE.fullmatch(text):
            return int(datetime.combine(datetime.fromisoformat(text).date(), time(), UTC).timestamp())
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise InvalidRequestError(
                f"--{param} {text} does not say in which time zone", why="Add Z or an offset: +01:00", param=param
            )
        return int(instant.timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(
            f"--{param} cannot be '{text}'", why=f"It takes {FORMS}{more}", param=param
        ) from error
