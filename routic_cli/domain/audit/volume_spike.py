"""An hour with far more calls than a key's own history has, for that hour of a working day or a weekend."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import DAY_SECONDS, baseline, callers, established, window
from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.audit.wording import addresses_in, counted, finding, moment, ref
from routic_cli.domain.keys import Key, KeyId
from routic_cli.domain.traffic import HOUR_SECONDS, Dimension, Traffic, TrafficQuery

_THURSDAY: Final = 3  # 1970-01-01
_SATURDAY: Final = 5
_NORMAL: Final = 1.4826
"""Times the median deviation is the standard deviation, where numbers are normal."""
_MONTH: Final = range(28, 32)
"""The days from a date to the same one of the next month."""
_SAME_TIME: Final = 2 * HOUR_SECONDS
"""How far a job of each month may be off: clocks change, and a queue may be long."""


class _Habit:
    """The hours of a key's history: those without a call count as none."""

    def __init__(self, rows: Sequence[Traffic], until: int) -> None:
        hours = {_hour(row): row.calls for row in rows}
        # A weekly job is there four times in 30 days; an incident or two must not make the next one look usual.
        self.busiest = sorted(hours.values(), reverse=True)[:3][-1]
        self._usual: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for hour in range(min(hours), until, HOUR_SECONDS):
            self._usual[_kind(hour)].append(hours.get(hour, 0))

    def usual(self, hour: int) -> float:
        """The median of the hours of its kind."""
        return median(self._usual.get(_kind(hour)) or [0])

    def score(self, hour: int, calls: int) -> float:
        """How many robust standard deviations above the usual."""
        values = self._usual.get(_kind(hour)) or [0]
        middle: float = median(values)
        deviation: float = _NORMAL * median(abs(value - middle) for value in values)
        # Calls come by chance: even of a service that never changes, hours differ by the root of their number.
        return (calls - middle) / max(deviation, math.sqrt(middle), 1.0)


class _Spike(NamedTuple):
    row: Traffic
    usual: float


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key with such hours. It must be far above the usual, the busiest hours, and a floor."""
    policy = facts.query.policy
    loud = {
        key_id
        for key_id, rows in window(facts, Dimension.HOUR).items()
        if max(row.calls for row in rows) >= policy.spike_calls
    }
    suspects = [key for key in established(facts) if key.id in loud]
    if not suspects:
        return
    now = window(facts, Dimension.HOUR)
    before = baseline(facts, Dimension.HOUR, keys=[key.id for key in suspects])
    until = facts.query.since - facts.query.since % HOUR_SECONDS
    habits = {key.id: _Habit(before[key.id], until) for key in suspects}
    high = {key.id: spikes for key in suspects if (spikes := _spikes(now[key.id], habits[key.id], policy))}
    unusual = _not_monthly(facts, high)
    found = [(key, unusual[key.id], habits[key.id]) for key in suspects if unusual.get(key.id)]
    by_address = callers(facts, [key.id for key, *_ in found], Dimension.HOUR)
    for key, spikes, habit in found:
        hours = {_hour(spike.row) for spike in spikes}
        yield _finding(key, spikes, habit, [row for row in by_address[key.id] if row.labels[2] in hours])


def _spikes(rows: Sequence[Traffic], habit: _Habit, policy: Policy) -> list[_Spike]:
    least = max(policy.spike_calls, policy.spike_times * habit.busiest)
    return [
        _Spike(row, habit.usual(_hour(row)))
        for row in rows
        if row.calls >= least and habit.score(_hour(row), row.calls) >= policy.spike_score
    ]


def _not_monthly(facts: Facts, high: Mapping[KeyId, list[_Spike]]) -> Mapping[KeyId, list[_Spike]]:
    """Without the hours that were half as high or more a month before: a job of each month, or an invoice run."""
    if not high:
        return high
    first = min(_hour(spike.row) for spikes in high.values() for spike in spikes)
    earlier: dict[KeyId, dict[int, int]] = defaultdict(dict)
    query = TrafficQuery(
        (Dimension.KEY, Dimension.HOUR),
        since=first - _MONTH.stop * DAY_SECONDS,
        until=facts.query.until,
        key_ids=tuple(sorted(high)),
    )
    for row in facts.traffic(query):
        earlier[KeyId(str(row.labels[0]))][_hour(row)] = row.calls

    def is_monthly(key_id: KeyId, spike: _Spike) -> bool:
        return any(
            earlier[key_id].get(_hour(spike.row) - days * DAY_SECONDS + off, 0) * 2 >= spike.row.calls
            for days in _MONTH
            for off in range(-_SAME_TIME, _SAME_TIME + 1, HOUR_SECONDS)
        )

    return {key_id: [spike for spike in spikes if not is_monthly(key_id, spike)] for key_id, spikes in high.items()}


def _finding(key: Key, spikes: list[_Spike], habit: _Habit, rows: list[Traffic]) -> Finding:
    top = max(spikes, key=lambda spike: spike.row.calls)
    evidence = (
        f"{counted(top.row.calls, 'call')} in the hour from {moment(_hour(top.row))}, where {top.usual:,.0f} are usual"
        f" and {habit.busiest:,} were much; {counted(len(spikes), 'such hour')}."
    )
    # No --rpm: one that would have stopped it stops it next time, too, should it turn out to be somebody's job.
    remedy = f"routic usage show {ref(key)} --by address"
    hours = [spike.row for spike in spikes]
    return finding(RuleName.VOLUME_SPIKE, Severity.MEDIUM, key, hours, evidence, remedy, addresses=addresses_in(rows))


def _hour(row: Traffic) -> int:
    return int(str(row.labels[1]))


def _kind(hour: int) -> tuple[int, bool]:
    """The hour of the day, and whether it is one of a weekend, in UTC."""
    return hour // HOUR_SECONDS % 24, (hour // DAY_SECONDS + _THURSDAY) % 7 >= _SATURDAY
