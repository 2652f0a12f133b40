"""`routic usage show`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import Refs
from routic_cli.commands.usage.options import (
    Keys,
    Period,
    Since,
    Until,
    describe_period,
    key_ids_of,
    period_of,
    settle_format,
    tell,
    tell_of_nothing,
)
from routic_cli.domain.errors import InvalidRequestError, TooManyRowsError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.tallies import hours_between, tally
from routic_cli.domain.traffic import Dimension, Label, Summary, Traffic, TrafficQuery, TrafficSort
from routic_cli.output.amounts import counted
from routic_cli.output.csv_out import print_csv
from routic_cli.output.json_out import print_json
from routic_cli.output.patience import patience
from routic_cli.output.times import absolute, relative
from routic_cli.output.usage_rows import (
    NO_KEY,
    UNKNOWN_KEYS,
    Sums,
    hour_rows,
    key_fields,
    key_rows,
    key_sums,
    label_rows,
    over_time,
)
from routic_cli.output.usage_tables import UsageRow, UsageTable, print_usage
from routic_cli.session import Session
from routic_cli.transport.usage import UsageTransport
from routic_cli.transport.wire import list_object
from routic_cli.transport.wire.usage import summary_fields, summary_object

EXAMPLES: Final = """
routic usage show
routic usage show prod-backend --by hour --since 24h
routic usage show --by address --sort errors --limit 20
routic usage show --since 30d --format csv > usage.csv
"""

_NUMBERS: Final = ("calls", "errors", "tokens_in", "tokens_out", "cost", "last_at")
_NAME: Final = "name"
_LONG: Final = 366 * 86_400


class By(StrEnum):
    """What usage is counted by."""

    KEY = "key"
    HOUR = "hour"
    ADDRESS = "address"
    AGENT = "agent"
    MODEL = "model"


class Format(StrEnum):
    """How usage is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def run(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    ctx: typer.Context,
    refs: Refs = None,
    key: Keys = None,
    by: Annotated[By, typer.Option("--by", help="What to count by.")] = By.KEY,
    since: Since = "7d",
    until: Until = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="FIELD",
            help="calls, errors, tokens_in, tokens_out, cost, last_at, the most first; name; -FIELD turns it round.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many rows.")] = None,
    format_: Annotated[Format | None, typer.Option("--format", help="How to print it.")] = None,
) -> None:
    """Show who called how often: calls, errors, tokens and cost, by key unless told otherwise.

    A table on a terminal. In a pipe, tab-separated lines: id and name of the key (or the hour, address, agent, model),
    calls, errors, tokens in, tokens out, cost, last call. The log counts by the hour: an hour that --since or --until
    falls into is counted whole.
    """
    session = session_of(ctx)
    form = settle_format(session, format_)
    dimension = Dimension(by.value)
    known = summary_fields([dimension])
    session.require_fields(known)
    _check_sort(sort)
    period = period_of(session, since, until)
    key_ids = key_ids_of(session, [*(refs or ()), *(key or ())])
    detailed = form == _TABLE and session.console.stdout_is_terminal and by is By.KEY
    everything = TrafficQuery((), since=period.since, until=period.until, key_ids=key_ids or None)
    usage = session.transport.usage
    with patience(session.console, "Counting the calls"), _remedied(session, by, limit):
        if detailed:
            found = usage.summary(replace(everything, by=_COURSE if limit is None else _COURSE[1:]))
            sums: Sums = key_sums(found.rows)
        else:
            found = usage.summary(_ordered(replace(everything, by=(dimension,)), sort, limit))
            sums = {row.labels[0]: row for row in found.rows}
        shown = _chosen(sums, found.key_names, by, sort, limit)
        if detailed and limit is not None:
            found = _course(usage, everything, shown, found)
        is_cut = len(shown) < len(sums)
        # Of what a limit left out the log has not told, but for one row more that shows that there is some.
        total = usage.summary(everything).rows if is_cut else tuple(sums.values())
    if form == _TABLE:
        _print_table(session, by, period, found, shown, whole=sort is None and limit is None)
    else:
        objects = [summary_object(row, [dimension], found.key_names) for row in shown.values()]
        if form == Format.CSV:
            header = known[1:]  # `object` is JSON's own
            print_csv(session.console, header, ([each[name] for name in header] for each in objects))
        else:
            print_json(session.console, list_object(objects, has_more=is_cut), session.fields, known=known)
    _tell(session, period, key_ids, total, shown if is_cut else None)


_TABLE: Final = Format.TABLE.value
_COURSE: Final = (Dimension.HOUR, Dimension.KEY, Dimension.OUTCOME)


@contextmanager
def _remedied(session: Session, by: By, limit: int | None) -> Iterator[None]:
    """A refusal of too many rows, with what this command can do about it."""
    try:
        yield
    except TooManyRowsError as error:
        shorter = f"routic usage show --by {by.value} --{'limit 20' if limit is None else 'since 24h'}"
        error.remedy = f"{session.with_its_flags(shorter)}, or a later --since, or only some keys by REF"
        raise


def _ordered(query: TrafficQuery, sort: str | None, limit: int | None) -> TrafficQuery:
    """The question in the order of the answer where a limit cuts it: for that many rows, and one that shows more."""
    field = (sort or "calls").removeprefix("-")
    turned = sort is not None and sort.startswith("-")
    is_by_key = query.by == (Dimension.KEY,)
    if limit is None or (field == _NAME and is_by_key):  # the log has ids of keys, and no names
        return query
    if sort is None and query.by == (Dimension.HOUR,):
        return replace(query, sort=TrafficSort.LABELS, descending=True, limit=limit + 1)
    if field == _NAME:
        return replace(query, sort=TrafficSort.LABELS, descending=turned, limit=limit + 1)
    return replace(query, sort=TrafficSort(field), descending=not turned, limit=limit + 1)


def _course(usage: UsageTransport, everything: TrafficQuery, shown: Sums, found: Summary) -> Summary:
    """The calls by the hour of the keys that are shown, and of those without a key where they are."""
    ids = tuple(KeyId(str(label)) for label in shown if label not in {NO_KEY, UNKNOWN_KEYS})
    rows = usage.summary(replace(everything, by=_COURSE, key_ids=ids)).rows if ids else ()
    if len(ids) < len(shown):
        outcomes = {str(row.labels[1]) for row in found.rows if row.labels[0] is None}
        keyless = usage.summary(replace(everything, by=_COURSE, outcomes=tuple(sorted(outcomes)))).rows
        rows += tuple(row for row in keyless if row.labels[1] is None)
    return Summary(rows, found.key_names)


def _check_sort(sort: str | None) -> None:
    if sort is not None and sort.removeprefix("-") not in {*_NUMBERS, _NAME}:
        raise InvalidRequestError(
            f"--sort cannot be '{sort}'", why=f"The fields are {', '.join(_NUMBERS)}, {_NAME}", param="sort"
        )


def _chosen(
    sums: Sums, names: Mapping[KeyId, str], by: By, sort: str | None, limit: int | None
) -> dict[Label, Traffic]:
    """The rows in their order: the most calls first, and hours as they went by, of which a limit leaves the latest."""

    def name_of(item: tuple[Label, Traffic]) -> tuple[int, str]:
        label = item[0]
        if by is By.HOUR:
            return int(str(label)), ""
        return 0, names.get(KeyId(str(label)), str(label or "")).casefold()

    items = sorted(sums.items(), key=name_of)
    if sort is None and by is By.HOUR:
        return dict(items[-limit:] if limit else items)
    field = (sort or "calls").removeprefix("-")
    turned = sort is not None and sort.startswith("-")
    if field == _NAME:
        items = items[::-1] if turned else items
    else:
        items.sort(key=lambda item: getattr(item[1], field), reverse=not turned)
    return dict(items[:limit])


def _print_table(
    session: Session, by: By, period: Period, found: Summary, shown: dict[Label, Traffic], *, whole: bool
) -> None:
    period = _seen(period, shown, by)
    hours = hours_between(period.since, period.until)
    heading, length = by.upper(), ""
    rows: Sequence[UsageRow]
    if by is By.HOUR:
        heading = "HOUR (UTC)"
        if not session.console.stdout_is_terminal:
            rows = hour_rows(shown)
        elif whole and shown:
            unit, rows = over_time(shown, hours)
            heading, length = f"{unit.upper()} (UTC)", "0-24 h UTC"
        else:
            rows = hour_rows(shown)
    elif by is not By.KEY:
        rows = label_rows(Dimension(by.value), shown)
    elif session.console.stdout_is_terminal:
        rows = key_rows(shown, found.rows, found.key_names, hours)
        length = _length(period)
    else:
        rows = [UsageRow("", key_fields(label, found.key_names), tally(row)) for label, row in shown.items()]
    # One more question, for those alone who will see an amount of money.
    costs = session.console.stdout_is_terminal and any(row.cost for row in shown.values())
    currency = session.transport.account().currency if costs else None
    print_usage(session.console, UsageTable(heading, length, rows, currency, timed=by is By.HOUR), period.now)


def _seen(period: Period, shown: Mapping[Label, Traffic], by: By) -> Period:
    """The time that charts are of: not the years before the first call, nor of hours any time before it."""
    began = min((row.first_at for row in shown.values()), default=period.since)
    is_long = by is By.HOUR or period.until - period.since > _LONG
    return period._replace(since=max(period.since, began)) if is_long else period


def _length(period: Period) -> str:
    """`last 7 days`, or the days themselves where they are not the last ones."""
    if period.until == period.now:
        return relative(period.since, period.now).replace(" ago", "")
    return f"{absolute(period.since)[:10]} to {absolute(period.until)[:10]}"


def _tell(
    session: Session, period: Period, key_ids: Sequence[KeyId], total: Sequence[Traffic], cut: Sums | None
) -> None:
    """Say on stderr what was counted, and how much of it a limit left out; of nothing, why, and how to fill the log."""
    if total:
        calls, errors = (sum(getattr(row, name) for row in total) for name in ("calls", "errors"))
        if cut is not None:
            others = calls - sum(row.calls for row in cut.values())
            tell(session, f"{counted(others, 'call')} more: --limit {len(cut)} left them out")
        tell(session, f"{counted(calls, 'call')}, {counted(errors, 'error')}, {describe_period(period)}")
        return
    tell_of_nothing(session, period, key_ids)
