"""The usage log: events in a SQLite file of their own, appended in batches, counted by the hour as they are written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from random import getrandbits
from typing import Any, Final

from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.domain.secret import Fingerprint, is_fingerprint
from routic_cli.domain.traffic import (
    Appended,
    EventPage,
    EventQuery,
    LastUse,
    Strangers,
    Traffic,
    TrafficQuery,
)
from routic_cli.domain.usage import UsageEvent
from routic_cli.private_files import is_there
from routic_cli.store import usage_questions
from routic_cli.store.database import empty_database, open_database
from routic_cli.store.migrations import USAGE
from routic_cli.store.sqlite_errors import translated_errors
from routic_cli.store.usage_counting import COLUMNS, PLAIN, TABLES, take_in
from routic_cli.store.usage_series import LONGEST_TEXT, Numbers, storable

__all__ = ["LONGEST_TEXT", "UsageStore"]

_Row = tuple[Any, ...]
_PAGES: Final = -65536
"""Of cache, in KiB: a month of hours stays in memory while a log of millions of lines is read."""

_RANDOM_BITS: Final = 43
_ARRIVALS: Final = 1 << 20

# Python's sqlite3 lets go of the interpreter for each statement, and a busy server takes milliseconds to give it back:
# row by row, a thread beside it would write a few hundred events a second. One statement writes many rows.
_ROWS_AT_ONCE: Final = (250, 25, 1)


class UsageStore:
    """Events in the file at `path`, which the first batch makes. For one thread at a time, and many processes.

    Questions are answered for one account, with the calls of unknown keys, which are nobody's; None is all accounts.
    `patience` is how many seconds another process is waited for; None is as long as ever.
    """

    def __init__(self, path: Path, *, patience: float | None = None) -> None:
        self._path = path
        self._patience = patience
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._numbers: Numbers | None = None
        self._count = 0

    def append(self, events: Sequence[UsageEvent]) -> Appended:
        """All of them, in one transaction, or none. An event of the same time and identity as one before is known.

        ValueError, before anything is stored, when one of them can never be a row. Texts that are too long are cut,
        what is shaped like a key in them is masked. When COMMIT itself fails, the events may be there all the same: a
        caller who repeats events without an identity counts twice, in this one case of a disk that fails just then.
        """
        if not events:
            return Appended(0, 0)
        with self._transaction() as connection:
            plain, full = self._rows(events, self._numbers_of(connection))
            _fill(connection, PLAIN, plain)
            _fill(connection, COLUMNS, full)
            new = take_in(connection)
        return Appended(new, len(events) - new)

    def events(self, query: EventQuery, *, account: str | None = None) -> EventPage:
        """Single events, in the order of their time."""
        with self._reading() as connection:
            return usage_questions.events(connection, query, account)

    def traffic(self, query: TrafficQuery, *, account: str | None = None) -> list[Traffic]:
        """Calls counted by what they have in common, in no order."""
        with self._reading() as connection:
            return usage_questions.traffic(connection, query, account)

    def strangers(
        self,
        *,
        since: UnixSeconds | None = None,
        until: UnixSeconds | None = None,
        least: int = 1,
        apart: bool = True,
    ) -> list[Strangers]:
        """The callers that tried keys which no store knows: at least so many different ones.

        A caller is an address, or the /64 around one of IPv6. Not `apart`, all of them are one, without an address.
        """
        with self._reading() as connection:
            return usage_questions.strangers(connection, since, until, least, apart=apart)

    def last_uses(self, key_ids: Iterable[KeyId] | None = None) -> Mapping[tuple[KeyId, int], LastUse]:
        """The last use of each version of these keys, or of all; a version that was never let in is left out."""
        with self._reading() as connection:
            return usage_questions.last_uses(connection, key_ids)

    def began(self, *, account: str | None = None) -> UnixSeconds | None:
        """The first moment that the log tells of; None for an empty one."""
        with self._reading() as connection:
            return usage_questions.began(connection, account)

    def spent(self, account: str) -> int:
        """What the account's calls have cost since the log began, in billionths; pruning takes nothing off."""
        with self._reading() as connection:
            found = connection.execute("SELECT cost FROM spent WHERE account = ?", (account,)).fetchone()
            return 0 if found is None else int(found[0])

    def prune(self, before: UnixSeconds, *, account: str | None = None, nobodys: bool = True) -> int:
        """Forget the events of the hours before that time; how many there were. Last uses and costs stay.

        Of one account, or of all; with `nobodys` those of unknown keys, too. They do not come back: what is appended
        of that time later counts as known.
        UnavailableError and its kin as for any change. The file keeps its size, and fills the space again.
        """
        if not is_there(self._path, USAGE.label):
            return 0
        hour = before - before % 3600
        with self._transaction() as connection:
            count, *_ = (
                connection.execute(statement, {"hour": hour, "account": account, "nobodys": nobodys}).rowcount
                for statement in usage_questions.PRUNE
            )
            if count:
                for statement in usage_questions.PRUNE_TEXTS:
                    connection.execute(statement)
        return int(count)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._numbers = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._open()
        with translated_errors(self._path, USAGE.label, self._patience):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if self._numbers is not None:
                    self._numbers.forget()
                raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view. Looking makes no file: one that is not there reads as empty."""
        if self._connection is None and not is_there(self._path, USAGE.label):
            with empty_database(USAGE) as connection:
                yield connection
            return
        connection = self._open()
        with translated_errors(self._path, USAGE.label, self._patience):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    def _rows(self, events: Sequence[UsageEvent], numbers: Numbers) -> tuple[list[_Row], list[_Row]]:
        """The rows of those events that have neither numbers nor a fingerprint, which are most, and of the others."""
        plain: list[_Row] = []
        full: list[_Row] = []
        for event in events:
            (
                time, _, _, path, _, _, _, request_id, _, _, _, sha256, _, _, tokens_in, tokens_out, cost, _, identity
            ) = event  # fmt: skip
            if identity is None:
                identity = self._drawn()
            row = (time, identity, numbers.series(event), numbers.text(path), storable(request_id))
            if tokens_in is None and tokens_out is None and cost is None and sha256 is None:
                plain.append(row)
            else:
                full.append((*row, tokens_in, tokens_out, cost, None if sha256 is None else _digest(sha256)))
        return plain, full

    def _drawn(self) -> int:
        """An identity that no other process draws in this second, and that keeps the order of arrival."""
        self._count = (self._count + 1) % _ARRIVALS
        return self._count << _RANDOM_BITS | getrandbits(_RANDOM_BITS)

    def _numbers_of(self, connection: sqlite3.Connection) -> Numbers:
        if self._numbers is None:
            self._numbers = Numbers(connection)
        self._numbers.begin()
        return self._numbers

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._is_in_place():
            return self._connection
        self.close()
        connection = open_database(self._path, USAGE, patience=self._patience)
        # FULL, not EXTRA: a crash of the machine may take the last batch, as it takes those still in memory, and two
        # syncs a batch are enough to keep what is there whole. NORMAL would risk the file itself.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size={_PAGES}")
        connection.execute("PRAGMA temp_store=MEMORY")
        for statement in TABLES:
            connection.execute(statement)
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


def _digest(sha256: Fingerprint) -> bytes:
    if not is_fingerprint(sha256):
        raise ValueError("A usage event has a fingerprint that is none")
    return bytes.fromhex(sha256)


def _fill(connection: sqlite3.Connection, columns: Sequence[str], rows: Sequence[_Row]) -> None:
    begin = 0
    row = f"({', '.join('?' * len(columns))})"
    for size in _ROWS_AT_ONCE:
        marks = ", ".join([row] * size)
        statement = f"INSERT OR IGNORE INTO batch ({', '.join(columns)}) VALUES {marks}"  # noqa: S608  # question marks
        while len(rows) - begin >= size:
            try:
                connection.execute(statement, tuple(chain.from_iterable(rows[begin : begin + size])))
            except OverflowError:
                raise ValueError("A usage event has a number of more than 64 bits") from None
            begin += size
