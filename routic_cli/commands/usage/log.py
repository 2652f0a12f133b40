"""`routic usage log`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import Refs
from routic_cli.commands.usage.options import Keys, Period, Since, Until, key_ids_of, period_of, tell_of_nothing
from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.domain.traffic import Dimension, EventQuery, Summary, TrafficQuery
from routic_cli.domain.usage import EventMark, UsageEvent
from routic_cli.output.cells import Cell, Span
from routic_cli.output.json_out import json_text
from routic_cli.output.patience import patience
from routic_cli.output.tables import print_table
from routic_cli.output.times import absolute
from routic_cli.session import Session
from routic_cli.transport.usage import UsageTransport
from routic_cli.transport.wire import EVENT_FIELDS, event_object

EXAMPLES: Final = """
routic usage log
routic usage log prod-backend --since 24h --limit 200
routic usage log --since 7d --limit 100000 --json > calls.jsonl
"""

_HEADERS: Final = ("time", "key", "outcome", "status", "address", "request", "agent")
_PAGE: Final = 1000
_ERROR: Final = 400


def run(
    ctx: typer.Context,
    refs: Refs = None,
    key: Keys = None,
    since: Since = "7d",
    until: Until = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many, the latest.")] = 50,
) -> None:
    """Show single calls, the latest last.

    A table on a terminal. In a pipe, tab-separated lines of time, key, outcome, status, address, method and path,
    agent. With --json one object on each line, as routic usage import reads them.
    """
    session = session_of(ctx)
    session.require_fields(EVENT_FIELDS)
    period = period_of(session, since, until)
    key_ids = key_ids_of(session, [*(refs or ()), *(key or ())])
    usage = session.transport.usage
    with patience(session.console, "Looking for the calls"):
        by = (Dimension.HOUR, Dimension.KEY)
        summary = usage.summary(TrafficQuery(by, period.since, period.until, key_ids or None))
        events = _latest(usage, period, key_ids, _hour_of_the_first(summary, period, limit), limit)
    if session.wants_json:
        lines = (json_text(event_object(event), session.fields, known=EVENT_FIELDS) for event in events)
        session.console.data("".join(f"{line}\n" for line in lines))
    elif events:
        print_table(session.console, _HEADERS, [_row(event, summary.key_names) for event in events])
    _tell(session, period, key_ids, summary, len(events))


def _hour_of_the_first(summary: Summary, period: Period, limit: int) -> UnixSeconds:
    """From when on to look, so that the last `limit` calls are found and the many before them are not gone through."""
    calls: Counter[int] = Counter()
    for row in summary.rows:
        calls[int(str(row.labels[0]))] += row.calls
    found = 0
    # An hour that the end cuts in two may have few of its calls before the end: it counts for nothing.
    for hour in sorted(calls, reverse=True):
        found += calls[hour] if hour + 3600 <= period.until else 0
        if found >= limit:
            return max(hour, period.since)
    return period.since


def _latest(
    usage: UsageTransport, period: Period, key_ids: Sequence[KeyId], since: UnixSeconds, limit: int
) -> list[UsageEvent]:
    found: list[UsageEvent] = []
    after: EventMark | None = None
    while True:
        page = usage.events(EventQuery(since, period.until, tuple(key_ids) or None, after, _PAGE))
        found = [*found, *page.events][-limit:]
        if not page.has_more:
            return found
        after = EventMark(found[-1].time, found[-1].identity or 0)


def _row(event: UsageEvent, names: Mapping[KeyId, str]) -> list[Cell]:
    key = "" if event.key_id is None else names.get(event.key_id, event.key_id)
    version = f" v{event.version}" if event.version and event.version > 1 else ""
    failed = "bad" if event.status >= _ERROR else ""
    return [
        Span(absolute(event.time), "dim"),
        Span(f"{key}{version}", "strong"),
        Span(event.outcome, "" if event.outcome == "allowed" else "bad"),
        Span(str(event.status or ""), failed),
        event.address,
        f"{event.method} {event.path}".strip(),
        Span(event.agent, "dim"),
    ]


def _tell(session: Session, period: Period, key_ids: Sequence[KeyId], summary: Summary, shown: int) -> None:
    """Say on stderr what is not in the answer."""
    if session.flags.quiet:
        return
    if not shown:
        tell_of_nothing(session, period, key_ids)
        return
    hidden = sum(row.calls for row in summary.rows if int(str(row.labels[0])) >= period.since) - shown
    if hidden > 0:
        session.console.say(f"Earlier calls are not shown: --limit {shown} left out about {hidden:,}", dim=True)
