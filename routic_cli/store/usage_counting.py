"""What a batch of events adds to the usage log: which of them are new, and what the new ones add to its counts.

The batch lies in a temporary table. An event is known when one of its time and identity is there, and when it is of a
time that was pruned: the same log imported again brings nothing back, and costs nobody anything twice.
"""
# ruff: noqa: S608  # the statements are put together from words of our own

from __future__ import annotations

import sqlite3
from typing import Final

from routic_cli.domain.usage import USES, Outcome

PLAIN: Final = ("time", "identity", "series", "path", "request_id")
COLUMNS: Final = (*PLAIN, "tokens_in", "tokens_out", "cost", "sha256")
TABLES: Final = (
    f"CREATE TEMP TABLE batch ({', '.join(COLUMNS)}, PRIMARY KEY (time, identity)) WITHOUT ROWID",
    "CREATE TEMP TABLE counted (hour, series, calls, tokens_in, tokens_out, cost, first_at, last_at)",
    "CREATE TEMP TABLE adopted (time, identity, hour, series)",
)

GUESSES: Final = ", ".join(f"'{each}'" for each in (Outcome.MALFORMED, Outcome.REFUSED, Outcome.UNKNOWN))
"""What becomes of a key that nobody knows. Whoever is refused for another reason had a key of somebody's."""

# Sums that no number of 64 bits can hold stay at the largest: SQLite makes them real numbers, which a cast cuts.
_HOURS: Final = """
    ON CONFLICT (hour, series) DO UPDATE SET calls = calls + excluded.calls,
        tokens_in = CAST(tokens_in + excluded.tokens_in AS INTEGER),
        tokens_out = CAST(tokens_out + excluded.tokens_out AS INTEGER),
        cost = CAST(cost + excluded.cost AS INTEGER),
        first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)
"""
_SUMS: Final = """count(*), CAST(total(tokens_in) AS INTEGER), CAST(total(tokens_out) AS INTEGER),
    CAST(total(cost) AS INTEGER), min(time), max(time)"""
_STRANGERS: Final = """
    ON CONFLICT (hour, address, sha256) DO UPDATE SET calls = calls + excluded.calls,
        first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)
"""
# Counted once: what is asked of keys and accounts is asked of the few rows that come of it.
_COUNT: Final = (
    f"INSERT INTO counted SELECT time - time % 3600, series, {_SUMS} FROM batch GROUP BY 1, 2",
    f"INSERT INTO hours SELECT * FROM counted WHERE true {_HOURS}",
    f"""
    INSERT INTO strangers
        SELECT time - time % 3600, address, sha256, count(*), min(time), max(time)
            FROM batch CROSS JOIN series ON series.id = batch.series JOIN texts AS o ON o.id = outcome
            WHERE sha256 NOT NULL AND o.text IN ({GUESSES}) GROUP BY 1, 2, 3 {_STRANGERS}
    """,
    f"""
    INSERT INTO last_uses
        SELECT k.text, version, a.text, max(last_at), sum(calls)
            FROM counted JOIN series ON series.id = counted.series JOIN texts AS k ON k.id = key_id
            JOIN texts AS o ON o.id = outcome LEFT JOIN texts AS a ON a.id = account
            WHERE o.text IN ({", ".join(f"'{outcome}'" for outcome in sorted(USES))}) GROUP BY 1, 2
        ON CONFLICT (key_id, version) DO UPDATE SET at = max(at, excluded.at), calls = calls + excluded.calls
    """,
    """
    INSERT INTO spent
        SELECT a.text, CAST(total(cost) AS INTEGER)
            FROM counted JOIN series ON series.id = counted.series JOIN texts AS a ON a.id = account
            WHERE cost <> 0 GROUP BY 1
        ON CONFLICT (account) DO UPDATE SET cost = CAST(cost + excluded.cost AS INTEGER)
    """,
    "INSERT INTO events SELECT * FROM batch",
    "DELETE FROM counted",
)

_FORGOTTEN: Final = """
    DELETE FROM batch WHERE time < (
        SELECT max(before) FROM horizons AS h WHERE h.account = '*' OR h.account = ifnull(
            (SELECT text FROM texts JOIN series ON texts.id = series.account WHERE series.id = batch.series), ''))
"""
_REPEATED: Final = """EXISTS
    (SELECT 1 FROM events AS e WHERE e.time = batch.time AND e.identity = batch.identity)"""

# Events of an unknown key that comes again as somebody's: another account read the log first, or the key was adopted
# since. They leave the counts of nobody, which are made anew for their hours, and are then as new as any.
_ADOPTED: Final = """
    INSERT INTO adopted
        SELECT e.time, e.identity, e.time - e.time % 3600, e.series FROM batch AS b
            CROSS JOIN events AS e ON e.time = b.time AND e.identity = b.identity
            JOIN series AS old ON old.id = e.series JOIN series AS new ON new.id = b.series
            WHERE old.account = 0 AND old.key_id = 0 AND new.key_id <> 0
"""
_ADOPT: Final = (
    "DELETE FROM events WHERE (time, identity) IN (SELECT time, identity FROM adopted)",
    "DELETE FROM hours WHERE (hour, series) IN (SELECT hour, series FROM adopted)",
    f"""
    INSERT INTO hours SELECT hour, e.series, {_SUMS.replace("time)", "e.time)")}
        FROM (SELECT DISTINCT hour, series FROM adopted) AS a
        CROSS JOIN events AS e ON e.time >= hour AND e.time < hour + 3600 AND e.series = a.series GROUP BY 1, 2
    """,
    """
    DELETE FROM strangers WHERE (hour, address) IN
        (SELECT hour, address FROM adopted JOIN series ON series.id = adopted.series)
    """,
    f"""
    INSERT INTO strangers SELECT hour, s.address, e.sha256, count(*), min(e.time), max(e.time)
        FROM (SELECT DISTINCT hour, address FROM adopted JOIN series ON series.id = adopted.series) AS a
        CROSS JOIN events AS e ON e.time >= hour AND e.time < hour + 3600
        JOIN series AS s ON s.id = e.series AND s.address = a.address JOIN texts AS o ON o.id = s.outcome
        WHERE e.sha256 NOT NULL AND o.text IN ({GUESSES}) GROUP BY 1, 2, 3
    """,
    "DELETE FROM adopted",
)


def take_in(connection: sqlite3.Connection) -> int:
    """Make events of what is new in the batch, and count it; how many there were. The batch is empty afterwards."""
    first, size = connection.execute("SELECT min(time), count(*) FROM batch").fetchone()
    horizon = connection.execute("SELECT max(before) FROM horizons").fetchone()[0]
    if horizon is not None and first < horizon:
        connection.execute(_FORGOTTEN)
    if connection.execute(f"SELECT 1 FROM batch WHERE {_REPEATED} LIMIT 1").fetchone():
        if connection.execute(_ADOPTED).rowcount:
            for statement in _ADOPT:
                connection.execute(statement)
        connection.execute(f"DELETE FROM batch WHERE {_REPEATED}")
    new = connection.execute("SELECT count(*) FROM batch").fetchone()[0] if size else 0
    if new:
        for statement in _COUNT:
            connection.execute(statement)
    connection.execute("DELETE FROM batch")
    return int(new)
