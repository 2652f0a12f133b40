"""Keys in one SQLite file: rollback journal, synchronous=EXTRA, every write in BEGIN IMMEDIATE."""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from routic_cli.domain.errors import OutcomeUnknownError, UnavailableError
from routic_cli.domain.keys import (
    KeyId,
    UnixSeconds,
)
from routic_cli.domain.traffic import LastUses
from routic_cli.paths import usage_log_beside
from routic_cli.store.database import empty_database, open_database
from routic_cli.store.interface import StoreReader, StoreWriter, UsageLog
from routic_cli.store.migrations import KEY_STORE
from routic_cli.store.sqlite_errors import is_locked, translated_errors
from routic_cli.store.sqlite_views import SqliteReader, SqliteWriter

if TYPE_CHECKING:
    from routic_cli.store.usage import UsageStore

_GLANCE_SECONDS: Final = 1.0
"""How long a list of keys waits for a log that another process is writing: the keys themselves are there."""


class SqliteStore:
    """A store in the file at `path`, for one account. The file is made by the first write; until then all is empty."""

    def __init__(self, path: Path, *, account: str) -> None:
        self._path = path
        self._account = account
        self._usage: UsageStore | None = None
        self._glance: UsageStore | None = None
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    @property
    def account(self) -> str:
        """Whose keys they are."""
        return self._account

    @property
    def usage(self) -> UsageLog:
        """The usage log beside the file."""
        if self._usage is None:
            from routic_cli.store.usage import UsageStore

            self._usage = UsageStore(usage_log_beside(self._path))
        return self._usage

    def last_uses(self, key_ids: Iterable[KeyId] | None = None) -> LastUses:
        """What the log tells of the last uses of these keys, or of all. It is hardly waited for."""
        if self._glance is None:
            from routic_cli.store.usage import UsageStore

            self._glance = UsageStore(usage_log_beside(self._path), patience=_GLANCE_SECONDS)
        began = self._glance.began(account=self._account)
        return LastUses({} if began is None else self._glance.last_uses(key_ids), began)

    def _open(self, *, create: bool) -> sqlite3.Connection:
        """The connection; another one when another file has come to the place of this one, a backup perhaps."""
        if self._connection is not None and self._identity != _identity_of(self._path):
            self._disconnect()
        if self._connection is None:
            self._connection = open_database(self._path, KEY_STORE, create=create)
            self._identity = _identity_of(self._path)
        return self._connection

    @contextmanager
    def reading(self, now: UnixSeconds) -> Iterator[StoreReader]:
        """A read transaction: everything asked in the block is answered from one moment."""
        try:
            connection = self._open(create=False)
        except FileNotFoundError:
            # Looking must not create a store: with a mistyped path that would hide the mistake.
            connection = None
        if connection is None:
            with empty_database(KEY_STORE) as empty:
                yield SqliteReader(empty, self._account, now)
            return
        with translated_errors(self._path, KEY_STORE.label):
            connection.execute("BEGIN")
            try:
                yield SqliteReader(connection, self._account, now)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, now: UnixSeconds) -> Iterator[StoreWriter]:
        """A write transaction, begun with the lock in hand, so that what it reads stays true until it commits."""
        connection = self._open(create=True)
        with translated_errors(self._path, KEY_STORE.label):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteWriter(connection, self._account, now)
            except BaseException:
                if connection.in_transaction:  # a full disk makes SQLite roll back by itself
                    connection.execute("ROLLBACK")
                raise
            self._commit(connection)

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):  # the commit's own error is the one to tell
                connection.execute("ROLLBACK")
            if is_locked(error):  # readers held it up: nothing has been written
                raise
            raise OutcomeUnknownError(
                f"The key store {self._path} did not confirm the change",
                why=str(error),
                not_done="It may or may not have been stored",
                remedy="routic keys list --all, to see",
            ) from error

    def require_writable(self) -> None:
        """The folder must take the journal that a change needs, and the file, if it is there, a lock."""
        # Not `exists`: it raises for a folder that we may not look into.
        folder = next(each for each in self._path.parents if os.access(each, os.F_OK))
        if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise UnavailableError(
                f"The key store {self._path} cannot be written",
                why=f"You may not make files in {folder}",
                not_done="Nothing was changed",
                remedy=f"chmod u+rwx {shlex.quote(str(folder))}",
            )
        try:
            connection = self._open(create=False)
        except FileNotFoundError:
            return
        with translated_errors(self._path, KEY_STORE.label):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file; it reads all of it."""
        try:
            connection = self._open(create=False)
        except FileNotFoundError:
            return []
        with translated_errors(self._path, KEY_STORE.label):
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        return problems + [f"{len(orphans)} versions without a key"] * bool(orphans)

    def close(self) -> None:
        """Close the file, and the log beside it."""
        self._disconnect()
        for log in (self._usage, self._glance):
            if log is not None:
                log.close()
        self._usage = self._glance = None

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
