"""Moments and stretches of time on the page: short, in UTC, and the same in every locale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.times import LATEST
from routic_cli.output.times import absolute

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY: Final = 86400


def day(at: UnixSeconds) -> str:
    """`9 Nov 2026`."""
    if not 0 <= at <= LATEST:
        return absolute(at)
    date = datetime.fromtimestamp(at, UTC)
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def minute(at: UnixSeconds) -> str:
    """`9 Nov 2026, 14:05 UTC`."""
    return f"{day(at)}, {clock(at)} UTC"


def clock(at: UnixSeconds) -> str:
    """`14:05`."""
    return f"{at // 3600 % 24:02}:{at // 60 % 60:02}"


def step(begin: UnixSeconds, length: int) -> str:
    """`9 Nov 2026, 14:00 to 15:00 UTC`, `9 Nov 2026`, `9 Nov 2026 to 15 Nov 2026`."""
    if length < DAY:
        return f"{day(begin)}, {clock(begin)} to {clock(begin + length)} UTC"
    return day(begin) if length == DAY else f"{day(begin)} to {day(begin + length - DAY)}"


def stretch(first: UnixSeconds, last: UnixSeconds) -> str:
    """`9 Nov 2026, 14:05 to 15:10 UTC`; both days where they differ; one moment where it is one."""
    if first // 60 == last // 60:
        return minute(first)
    if first // DAY == last // DAY:
        return f"{day(first)}, {clock(first)} to {clock(last)} UTC"
    return f"{day(first)}, {clock(first)} to {day(last)}, {clock(last)} UTC"


def length_of(since: UnixSeconds, until: UnixSeconds) -> str:
    """`30 days`, `24 hours`: how long the period is, rounded."""
    span = timedelta(seconds=until - since)
    if span < timedelta(days=2):
        hours = max(round(span.total_seconds() / 3600), 1)
        return f"{hours} hour" if hours == 1 else f"{hours} hours"
    return f"{round(span / timedelta(days=1))} days"
