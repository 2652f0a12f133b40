"""What is asked of the usage log, in SQL: single events, calls counted by the hour, and what may be forgotten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.domain.networks import caller_of
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.traffic import (
    HOUR_SECONDS,
    Dimension,
    EventPage,
    EventQuery,
    Label,
    LastUse,
    Strangers,
    Traffic,
    TrafficQuery,
    TrafficSort,
)
from routic_cli.domain.usage import UsageEvent
from routic_cli.store.usage_series import BITS, NONE

_COLUMNS: Final = {Dimension.KEY: "key_id"}
_NUMBERS: Final = frozenset({Dimension.HOUR, Dimension.VERSION, Dimension.STATUS, Dimension.FLAGS})
_TEXTS_OF_SERIES: Final = ("key_id", "account", "outcome", "method", "address", "agent", "origin", "model")
_EVENT: Final = ", ".join(
    f"(SELECT text FROM texts WHERE id = {name}) AS {name}"  # noqa: S608  # our own names
    if name in _TEXTS_OF_SERIES or name == "path"
    else name
    for name in UsageEvent._fields
)
# total() and not sum(), which fails for what 64 bits do not hold: exact up to 2^53, the nearest number above.
_SUMS: Final = """sum(calls), sum(CASE WHEN status >= 400 THEN calls ELSE 0 END), CAST(total(tokens_in) AS INTEGER),
    CAST(total(tokens_out) AS INTEGER), CAST(total(cost) AS INTEGER), min(first_at), max(last_at)"""

# Most questions are about few series of many hours. To sort each hour's row by its labels takes longer than to read it:
# summed up by series first, a number, there are fewer rows to sort. With `hour` among the labels nothing is saved.
_BY_SERIES: Final = """(SELECT series, sum(calls) AS calls, total(tokens_in) AS tokens_in,
    total(tokens_out) AS tokens_out, total(cost) AS cost,
    min(first_at) AS first_at, max(last_at) AS last_at FROM hours {} GROUP BY series)"""

_PRUNED: Final = """(
    :account IS NULL OR series IN (SELECT id FROM series WHERE account = (SELECT id FROM texts WHERE text = :account))
    OR (:nobodys AND series IN (SELECT id FROM series WHERE account = 0)))"""
PRUNE: Final = (
    f"DELETE FROM events WHERE time < :hour AND {_PRUNED}",  # noqa: S608  # our own words
    f"DELETE FROM hours WHERE hour < :hour AND {_PRUNED}",  # noqa: S608  # the same
    "DELETE FROM strangers WHERE hour < :hour AND (:account IS NULL OR :nobodys)",
    """
    INSERT INTO horizons
        SELECT ifnull(:account, '*'), :hour UNION SELECT '', :hour WHERE :nobodys
        ON CONFLICT (account) DO UPDATE SET before = max(before, excluded.before)
    """,
)
"""The first counts the events. `horizons` has a row for each account, '' for nobody and '*' for all."""
PRUNE_TEXTS: Final = (
    "DELETE FROM series WHERE id NOT IN (SELECT series FROM hours)",
    """
    DELETE FROM texts WHERE id NOT IN (
        SELECT path FROM events UNION SELECT address FROM strangers
        UNION SELECT key_id FROM series UNION SELECT account FROM series UNION SELECT outcome FROM series
        UNION SELECT method FROM series UNION SELECT address FROM series UNION SELECT network FROM series
        UNION SELECT agent FROM series UNION SELECT family FROM series UNION SELECT origin FROM series
        UNION SELECT model FROM series)
    """,
    "UPDATE pruned SET times = times + 1",
)


def events(connection: sqlite3.Connection, query: EventQuery, account: str | None) -> EventPage:
    """Single events, in the order of their time."""
    where = _Where(connection)
    where.account(account)
    where.keys(query.key_ids)
    where.number("time >= ?", query.since)
    where.number("time < ?", query.until)
    if query.after is not None:
        where.add("(time, identity) > (?, ?)", *query.after)
    rows = connection.execute(
        f"SELECT {_EVENT} FROM events CROSS JOIN series ON series.id = events.series {where.sql}"  # noqa: S608  # ours
        " ORDER BY time, identity LIMIT ?",
        (*where.values, query.limit + 1),
    ).fetchall()
    return EventPage(tuple(_event(row) for row in rows[: query.limit]), has_more=len(rows) > query.limit)


def traffic(connection: sqlite3.Connection, query: TrafficQuery, account: str | None) -> list[Traffic]:
    """Calls counted by what they have in common."""
    series = _Where(connection)
    series.account(account)
    series.keys(query.key_ids)
    series.number("version = ?", query.version)
    if query.outcomes is not None:
        series.one_of("outcome", query.outcomes)
    if query.flag is not None:
        series.add("flags & ?", BITS[query.flag])
    where = _Where(connection)
    # The hours themselves are the order of the table; `last_at` would look at each row of it.
    where.number("hour > ?", None if query.since is None else query.since - HOUR_SECONDS)
    where.number("hour < ?", query.until)
    if series.sql:
        where.add(f"series IN (SELECT id FROM series {series.sql})", *series.values)  # noqa: S608  # our own names
    source = f"hours CROSS JOIN series ON series.id = hours.series {where.sql}"
    if Dimension.HOUR not in query.by:
        source = f"{_BY_SERIES.format(where.sql)} AS hours CROSS JOIN series ON series.id = hours.series"
    columns = [_COLUMNS.get(dimension, dimension.value) for dimension in query.by]
    group = f"GROUP BY {', '.join(str(place) for place in range(1, len(columns) + 1))}" if columns else ""
    rows = connection.execute(
        f"SELECT {''.join(f'{column}, ' for column in columns)}{_SUMS} FROM {source} {group} {_order(query)} LIMIT ?",  # noqa: S608  # our own names
        (*where.values, -1 if query.limit is None else query.limit),
    )
    texts = _Texts(connection)
    count = len(columns)
    return [
        Traffic(tuple(map(texts.label, query.by, row[:count])), *row[count:]) for row in rows if row[count] is not None
    ]


def _order(query: TrafficQuery) -> str:
    """The rows in the order asked for; those alike in it by their labels, so that a limit always leaves the same."""
    if query.sort is None or not query.by:
        return ""
    direction = "DESC" if query.descending else "ASC"
    count = len(query.by)
    places = [str(place) for place in range(1, count + 1)]
    if query.sort is TrafficSort.LABELS:
        # Each text has to be looked up for this, in the database itself: they need no memory here.
        terms = [_in_order(dimension) for dimension in query.by]
    else:
        terms = [str(count + Traffic._fields.index(query.sort))]
    return f"ORDER BY {', '.join([*(f'{term} {direction}' for term in terms), *places])}"


def _in_order(dimension: Dimension) -> str:
    column = _COLUMNS.get(dimension, dimension.value)
    return column if dimension in _NUMBERS else f"(SELECT lower(text) FROM texts WHERE id = {column})"  # noqa: S608  # ours


_CALLER: Final = "(SELECT caller_of(text) FROM texts WHERE id = address)"


def strangers(
    connection: sqlite3.Connection,
    since: UnixSeconds | None,
    until: UnixSeconds | None,
    least: int,
    *,
    apart: bool,
) -> list[Strangers]:
    """The callers that tried keys which no store knows: at least so many different ones; or all of them as one."""
    connection.create_function("caller_of", 1, caller_of, deterministic=True)
    where = _Where(connection)
    where.number("hour > ?", None if since is None else since - HOUR_SECONDS)
    where.number("hour < ?", until)
    rows = connection.execute(
        f"SELECT {_CALLER if apart else 'NULL'}, count(DISTINCT sha256), sum(calls), min(first_at), max(last_at)"  # noqa: S608  # ours
        f" FROM strangers {where.sql} GROUP BY 1 HAVING count(DISTINCT sha256) >= ?",
        (*where.values, least),
    )
    return [Strangers(row[0] or "", *row[1:]) for row in rows]


def last_uses(connection: sqlite3.Connection, key_ids: Iterable[KeyId] | None) -> Mapping[tuple[KeyId, int], LastUse]:
    """The last use of each version of these keys, or of all."""
    rows = connection.execute(
        "SELECT key_id, version, at, calls FROM last_uses"
        " WHERE ?1 IS NULL OR key_id IN (SELECT value FROM json_each(?1))",
        (None if key_ids is None else json.dumps(list(key_ids)),),
    )
    return {(KeyId(row[0]), row[1]): LastUse(row[2], row[3]) for row in rows}


def began(connection: sqlite3.Connection, account: str | None) -> UnixSeconds | None:
    """The first moment that is left of an account: an event's, or a last use, which outlives the events."""
    where = _Where(connection)
    where.account(account)
    first = connection.execute(
        f"SELECT first_at FROM hours CROSS JOIN series ON series.id = hours.series {where.sql}"  # noqa: S608  # ours
        " ORDER BY hour LIMIT 1",
        where.values,
    ).fetchone()
    used = connection.execute("SELECT min(at) FROM last_uses WHERE ?1 IS NULL OR account = ?1", (account,)).fetchone()
    return min((int(row[0]) for row in (first, used) if row is not None and row[0] is not None), default=None)


class _Where:
    """The conditions of one question."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._conditions: list[str] = []
        self.values: list[Any] = []

    @property
    def sql(self) -> str:
        return f"WHERE {' AND '.join(self._conditions)}" if self._conditions else ""

    def add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self.values.extend(values)

    def number(self, condition: str, value: int | None) -> None:
        if value is not None:
            self.add(condition, value)

    def account(self, account: str | None) -> None:
        """Those of the account, and of none."""
        if account is not None:
            self.add("account IN (0, (SELECT id FROM texts WHERE text = ?))", account)

    def keys(self, key_ids: Iterable[KeyId] | None) -> None:
        if key_ids is not None:
            self.one_of("key_id", tuple(key_ids))

    def one_of(self, column: str, texts: Iterable[str]) -> None:
        self.add(
            f"{column} IN (SELECT id FROM texts WHERE text IN (SELECT value FROM json_each(?)))",  # noqa: S608  # ours
            json.dumps(list(texts)),
        )


class _Texts:
    """The texts behind numbers, each looked up once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, str | None] = {NONE: None}

    def text(self, number: int) -> str | None:
        if number not in self._known:
            self._known[number] = self._connection.execute("SELECT text FROM texts WHERE id = ?", (number,)).fetchone()[
                0
            ]
        return self._known[number]

    def label(self, dimension: Dimension, value: int) -> Label:
        if dimension is Dimension.FLAGS:
            return _flags(value)
        if dimension is Dimension.VERSION:
            return value or None
        return value if dimension in _NUMBERS else self.text(value)


def _event(row: sqlite3.Row) -> UsageEvent:
    values = dict(row)
    values["version"] = values["version"] or None
    values["flags"] = _flags(values["flags"])
    if values["sha256"] is not None:
        values["sha256"] = Fingerprint(values["sha256"].hex())
    return UsageEvent(**values)


def _flags(bits: int) -> tuple[str, ...]:
    return tuple(name for name, bit in BITS.items() if bits & bit)
