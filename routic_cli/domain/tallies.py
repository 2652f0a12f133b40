"""Traffic added up by one label, and the course of its calls over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.traffic import HOUR_SECONDS, Traffic

L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Tally:
    """What a row of usage counts. `cost` is in billionths; `course` are the calls of each step of time, or nothing."""

    calls: int
    errors: int
    tokens_in: int
    tokens_out: int
    cost: int
    last_at: UnixSeconds
    course: tuple[int, ...] = ()


def add_up(rows: Iterable[Traffic], label_of: Callable[[Traffic], L]) -> dict[L, Traffic]:
    """One sum for each label, in the order in which they come; labels of a sum are those of its first row."""
    sums: dict[L, Traffic] = {}
    for row in rows:
        label = label_of(row)
        sums[label] = _sum(sums[label], row) if label in sums else row
    return sums


def tally(total: Traffic, course: Sequence[int] = ()) -> Tally:
    """The sum as a tally."""
    numbers = (total.calls, total.errors, total.tokens_in, total.tokens_out, total.cost, total.last_at)
    return Tally(*numbers, tuple(course))


def hours_between(since: UnixSeconds, until: UnixSeconds) -> range:
    """The beginnings of the hours that the time touches."""
    return range(since - since % HOUR_SECONDS, max(until, since + 1), HOUR_SECONDS)


def by_hour(rows: Iterable[Traffic], place: int, hours: range) -> list[int]:
    """The calls of each of these hours; `place` is where the rows' labels have theirs."""
    calls = [0] * len(hours)
    for row in rows:
        hour = row.labels[place]
        if isinstance(hour, int) and hour in hours:
            calls[hours.index(hour)] += row.calls
    return calls


def _sum(one: Traffic, other: Traffic) -> Traffic:
    return Traffic(
        one.labels,
        one.calls + other.calls,
        one.errors + other.errors,
        one.tokens_in + other.tokens_in,
        one.tokens_out + other.tokens_out,
        one.cost + other.cost,
        min(one.first_at, other.first_at),
        max(one.last_at, other.last_at),
    )
