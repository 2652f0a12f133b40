"""The usage log: events in a SQLite file of their own, appended in batches."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from routic_cli.domain.secret import Fingerprint, is_fingerprint
from routic_cli.domain.usage import Flag, UsageEvent, without_keys
from routic_cli.private_files import is_there
from routic_cli.store.database import open_database
from routic_cli.store.migrations import USAGE
from routic_cli.store.sqlite_errors import translated_errors

LONGEST_TEXT: Final = 512
"""In characters. Who calls chooses agent and path: unbounded, a caller could fill the disk with a few requests."""

_COLUMNS: Final = tuple(field.name for field in fields(UsageEvent))
_NUMBERED: Final = frozenset({"key_id", "account", "outcome", "method", "path", "address", "agent", "origin", "model"})
_TEXTS: Final = _NUMBERED | {"request_id"}
_LARGEST: Final = (1 << 63) - 1
_BITS: Final = {flag.value: 1 << place for place, flag in enumerate(Flag)}

# Python's sqlite3 lets go of the interpreter for each statement, and a busy server takes milliseconds to give it back:
# row by row, a thread beside it would write a few hundred events a second. One statement writes many rows.
_ROWS_AT_ONCE: Final = (250, 25, 1)
_INSERT: Final = f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608  # our own names
_ROW: Final = f"({', '.join('?' * len(_COLUMNS))})"
_SELECT: Final = ", ".join(
    f"(SELECT text FROM texts WHERE id = events.{name}) AS {name}" if name in _NUMBERED else name  # noqa: S608  # ours
    for name in _COLUMNS
)

_values_of: Callable[[UsageEvent], tuple[Any, ...]] = attrgetter(*_COLUMNS)


class UsageStore:
    """Events in the file at `path`, which the first batch makes. For one thread at a time, and many processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)

    def append(self, events: Sequence[UsageEvent]) -> None:
        """All of them, in one transaction, or none.

        ValueError, before anything is touched, when one of them can never be a row. Texts that are too long are cut,
        what is shaped like a key in them is masked. When COMMIT itself fails, the events may be there all the same: a
        caller who repeats them counts twice, in this one case of a disk that fails just then, rather than lose them.
        """
        if not events:
            return
        rows = [_row(event) for event in events]
        connection = self._open()
        with translated_errors(self._path, USAGE.label):
            connection.execute("BEGIN IMMEDIATE")
            try:
                _insert(connection, rows, _numbers(connection, rows))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def events(self, *, since: int | None = None, limit: int | None = None) -> list[UsageEvent]:
        """The events from that second on, in the order of arrival; with a limit, the last so many of them."""
        if self._connection is None and not is_there(self._path, USAGE.label):
            return []
        connection = self._open()
        with translated_errors(self._path, USAGE.label):
            rows = connection.execute(
                f"SELECT {_SELECT} FROM events WHERE ?1 IS NULL OR time >= ?1 ORDER BY seq DESC LIMIT ?2",  # noqa: S608  # ours
                (since, -1 if limit is None else limit),
            ).fetchall()
        return [_event(row) for row in reversed(rows)]

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._is_in_place():
            return self._connection
        self.close()
        connection = open_database(self._path, USAGE)
        # FULL, not EXTRA: a crash of the machine may take the last batch, as it takes those still in memory, and two
        # syncs a batch are enough to keep what is there whole. NORMAL would risk the file itself.
        connection.execute("PRAGMA synchronous=FULL")
        status = self._path.lstat()
        self._connection, self._identity = connection, (status.st_dev, status.st_ino)
        return connection

    def _is_in_place(self) -> bool:
        """Whether the open file is still the one in the place: events must not go into one that was moved away."""
        try:
            status = os.lstat(self._path)
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._identity


def _row(event: UsageEvent) -> dict[str, Any]:
    row = dict(zip(_COLUMNS, _values_of(event), strict=True))
    for name, value in row.items():
        if name in _TEXTS:
            row[name] = _storable(value)
        elif isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
            raise ValueError(f"{name} of a usage event has more than 64 bits")
    if not _BITS.keys() >= set(event.flags):
        raise ValueError("A usage event has a flag that is none")
    row["flags"] = sum(_BITS[flag] for flag in set(event.flags))
    if event.sha256 is not None:
        if not is_fingerprint(event.sha256):
            raise ValueError("A usage event has a fingerprint that is none")
        row["sha256"] = bytes.fromhex(event.sha256)
    return row


def _storable(text: str | None) -> str | None:
    """What SQLite keeps as it is: half a surrogate pair is no UTF-8, and NUL ends a text in its JSON functions."""
    if text is None:
        return None
    return without_keys(text, LONGEST_TEXT).encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _numbers(connection: sqlite3.Connection, rows: Sequence[dict[str, Any]]) -> dict[str | None, int | None]:
    """The number of each text of the batch. Nothing is kept from one batch to the next: others prune the file."""
    texts = json.dumps(list({row[name] for row in rows for name in _NUMBERED} - {None}))
    connection.execute(
        "INSERT INTO texts (text) SELECT value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING", (texts,)
    )
    found = connection.execute(
        "SELECT text, id FROM texts WHERE text IN (SELECT value FROM json_each(?))", (texts,)
    ).fetchall()
    return {None: None, **{row["text"]: row["id"] for row in found}}


def _insert(
    connection: sqlite3.Connection, rows: Sequence[dict[str, Any]], numbers: dict[str | None, int | None]
) -> None:
    values = [
        tuple(numbers[value] if name in _NUMBERED else value for name, value in row.items())  # in the columns' order
        for row in rows
    ]
    begin = 0
    for size in _ROWS_AT_ONCE:
        statement = _INSERT + ", ".join([_ROW] * size)
        while len(values) - begin >= size:
            connection.execute(statement, tuple(chain.from_iterable(values[begin : begin + size])))
            begin += size


def _event(row: sqlite3.Row) -> UsageEvent:
    values = dict(row)
    values["flags"] = tuple(name for name, bit in _BITS.items() if values["flags"] & bit)
    if values["sha256"] is not None:
        values["sha256"] = Fingerprint(values["sha256"].hex())
    return UsageEvent(**values)
