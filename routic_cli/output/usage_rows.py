"""What the rows of usage are called for a person, for each thing that calls can be counted by."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.domain.tallies import Tally, add_up, by_hour, tally
from routic_cli.domain.traffic import HOUR_SECONDS, Dimension, Label, Traffic
from routic_cli.domain.usage import Outcome
from routic_cli.output.cells import Cell, Span
from routic_cli.output.times import absolute
from routic_cli.output.usage_tables import UsageRow

# A key id begins otherwise, and a name of a key has no space: neither can be taken for one.
NO_KEY: Final = "no key"
UNKNOWN_KEYS: Final = "unknown keys"
_NOT_GIVEN: Final = {Dimension.ADDRESS: "no address", Dimension.AGENT: "no agent", Dimension.MODEL: "no model"}
_DAY_SECONDS: Final = 24 * HOUR_SECONDS
_HOURS_SHOWN: Final = 48
_YEAR_SAID_FROM: Final = 300

Sums = dict[Label, Traffic]
"""The calls of each label, which a table shows as a row."""


def key_sums(rows: Iterable[Traffic]) -> Sums:
    """Of traffic by key and outcome, or hour, key and outcome: the calls of each key, of none, and of strangers."""
    return add_up(rows, _holder)


def key_rows(
    shown: Mapping[Label, Traffic], detail: Sequence[Traffic], names: Mapping[KeyId, str], hours: range
) -> list[UsageRow]:
    """A row for each key with its course over the hours. A name that two of them have had is told apart by the id."""
    of_label: dict[Label, list[Traffic]] = {label: [] for label in shown}
    for row in detail:
        of_label.get(_holder(row), []).append(row)
    often = Counter(names.get(KeyId(str(label))) for label in shown)
    return [
        UsageRow(
            _key_cell(label, names, often), key_fields(label, names), tally(sum_, by_hour(of_label[label], 0, hours))
        )
        for label, sum_ in shown.items()
    ]


def key_fields(label: Label, names: Mapping[KeyId, str]) -> tuple[str, ...]:
    """For a script: id and name, both empty for calls without a key that is known."""
    if label in {None, NO_KEY, UNKNOWN_KEYS}:
        return ("", "")
    return (str(label), names.get(KeyId(str(label)), ""))


def label_rows(dimension: Dimension, shown: Mapping[Label, Traffic]) -> list[UsageRow]:
    """A row for each address, agent or model."""
    missing = Span(_NOT_GIVEN[dimension], "dim")
    return [
        UsageRow(Span(str(label), "strong") if label else missing, (str(label or ""),), tally(sum_))
        for label, sum_ in shown.items()
    ]


def hour_rows(shown: Mapping[Label, Traffic]) -> list[UsageRow]:
    """A row for each hour, for a script."""
    return [UsageRow(_hour(label), (absolute(int(str(label))),), tally(sum_)) for label, sum_ in shown.items()]


def over_time(sums: Sums, hours: range) -> tuple[str, list[UsageRow]]:
    """What a person sees of hours, and what each row is: an hour, or of a longer time a day with the course of its 24.

    Times without calls have their row too: a gap is what one may be looking for.
    """
    if len(hours) <= _HOURS_SHOWN:
        return "hour", [
            UsageRow(_hour(hour), (), tally(sums[hour])) if hour in sums else _empty(hour) for hour in hours
        ]
    days: dict[UnixSeconds, list[Traffic]] = {hour - hour % _DAY_SECONDS: [] for hour in hours}
    for hour, row in sums.items():
        if isinstance(hour, int):
            days.setdefault(hour - hour % _DAY_SECONDS, []).append(row)
    form = "%a %d %b %Y" if len(days) > _YEAR_SAID_FROM else "%a %d %b"
    return "day", [_day(day, rows, form) for day, rows in days.items()]


def _holder(row: Traffic) -> Label:
    key, outcome = row.labels[-2:]
    if key is not None:
        return key
    return NO_KEY if outcome == Outcome.MISSING else UNKNOWN_KEYS


def _key_cell(label: Label, names: Mapping[KeyId, str], often: Mapping[str | None, int]) -> Cell:
    if label in {NO_KEY, UNKNOWN_KEYS}:
        return Span(str(label), "dim")
    name = names.get(KeyId(str(label)))
    if name is None:
        return Span(str(label), "strong")
    return [Span(name, "strong"), Span(f" {label}", "dim")] if often[name] > 1 else Span(name, "strong")


def _hour(label: Label) -> Span:
    return Span(time.strftime("%a %d %b %H:%M", time.gmtime(int(str(label)))), "strong")


def _day(day: UnixSeconds, rows: Sequence[Traffic], form: str) -> UsageRow:
    name = Span(time.strftime(form, time.gmtime(day)), "strong")
    whole = range(day, day + _DAY_SECONDS, HOUR_SECONDS)
    sums = list(add_up(rows, lambda _: day).values())
    course = by_hour(rows, 0, whole)
    return UsageRow(name, (), tally(sums[0], course) if sums else Tally(0, 0, 0, 0, 0, 0, tuple(course)))


def _empty(hour: UnixSeconds) -> UsageRow:
    return UsageRow(_hour(hour), (), Tally(0, 0, 0, 0, 0, 0))
