"""Opening one of routic's SQLite files: private, ours, whole, of a version we know, or not at all.

Nothing here or above changes a file that is damaged, foreign or newer: the checks only read.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import (
    RouticError,
    StoreDamagedError,
    StoreForeignError,
    StoreLockedError,
    StoreNewerError,
    UnavailableError,
    UnsafeDestinationError,
)
from routic_cli.private_files import PRIVATE_FILE, check_private, make_private_folder, sync_folder

BUSY_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: what it is called in messages, and how it is told from any other SQLite file.

    `steps` are the statements of each migration; `user_version` counts how many of them a file has had.
    """

    label: str
    application_id: int
    steps: tuple[tuple[str, ...], ...]

    @property
    def version(self) -> int:
        """The version that this routic writes."""
        return len(self.steps)


def open_database(path: Path, kind: Kind, *, create: bool = True) -> sqlite3.Connection:
    """A connection in autocommit mode to a file that passed every check.

    Creates or migrates the file first where that is needed. FileNotFoundError when it does not exist and `create` is
    False; UnsafeDestinationError, StoreDamagedError and its kin, StoreLockedError otherwise.
    """
    if not path.exists() and not path.is_symlink():
        if not create:
            raise FileNotFoundError(path)
        _create(path, kind)
    _check_private(path, kind)
    with translated_errors(path, kind.label):
        connection = _connect(path)
        try:
            if _checked_version(connection, path, kind) < kind.version:
                _migrate(connection, path, kind)
        except BaseException:
            connection.close()
            raise
    return connection


def _check_private(path: Path, kind: Kind) -> None:
    try:
        check_private(path, kind.label)
    except UnsafeDestinationError as error:
        # `--store /etc/passwd` is as private as it should be: no advice for files that are not ours.
        if error.remedy.startswith("chmod") and not _has_identity(path, kind):
            error.remedy = "routic --store PATH …, to name another file"
        raise


def _has_identity(path: Path, kind: Kind) -> bool:
    """Whether the header says that the file is ours; SQLite's format has `application_id` at byte 68."""
    # Closing a descriptor drops this process's locks on the file: only for a file that will not be opened.
    with path.open("rb") as file:
        header = file.read(72)
    return header.startswith(b"SQLite format 3\0") and header[68:] == kind.application_id.to_bytes(4, "big")


def _create(path: Path, kind: Kind) -> None:
    """Build the file under a name of its own and link it into place: nobody ever sees it half made."""
    try:
        make_private_folder(path.parent)
        draft = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.new")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR, PRIVATE_FILE))
    except OSError as error:
        raise RouticError(
            f"The {kind.label} {path} could not be created",
            why=error.strerror or str(error),
            not_done="Nothing was stored",
        ) from error
    try:
        draft.chmod(PRIVATE_FILE)
        with translated_errors(path, kind.label):
            connection = _connect(draft)
            try:
                _apply_migrations(connection, kind)
            finally:
                connection.close()
        with suppress(FileExistsError):  # another routic was faster: its file is as good as ours
            os.link(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: SQLite must never create a file here, it would have the umask's mode.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_SECONDS,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    # EXTRA syncs the folder after the journal is unlinked; FULL would let a commit be lost with the power.
    connection.execute("PRAGMA synchronous=EXTRA")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _checked_version(connection: sqlite3.Connection, path: Path, kind: Kind) -> int:
    """The file's schema version, once it is sure that the file is ours and as long as it says it is."""
    if path.stat().st_size == 0:
        raise StoreDamagedError(
            f"The {kind.label} {path} is empty", why="A store is never empty: something has cut it", not_done=_UNTOUCHED
        )
    connection.execute("BEGIN")  # a read transaction: no writer can change the file's length meanwhile
    try:
        application_id = _pragma(connection, "application_id")
        version = _pragma(connection, "user_version")
        expected_size = _pragma(connection, "page_count") * _pragma(connection, "page_size")
        actual_size = path.stat().st_size
        journal_mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    finally:
        connection.execute("ROLLBACK")
    if application_id != kind.application_id:
        raise StoreForeignError(
            f"{path} is not a routic {kind.label}",
            why="It is a SQLite file of another program",
            not_done=_UNTOUCHED,
            remedy="routic --store PATH …, to name another file",
        )
    if version > kind.version:
        raise StoreNewerError(
            f"The {kind.label} {path} was written by a newer routic",
            why=f"Its version is {version}, this routic knows {kind.version}",
            not_done=_UNTOUCHED,
            remedy="pip install --upgrade routic",
        )
    if version < 1 or actual_size < expected_size:
        raise _damaged(path, kind.label, f"{actual_size} of {expected_size} bytes are left")
    if journal_mode == "wal":
        # WAL before SQLite 3.51.3 can corrupt, and NORMAL under it acknowledges what it has not synced.
        connection.execute("PRAGMA journal_mode=DELETE")
    return version


_UNTOUCHED: Final = "It has not been touched"


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _migrate(connection: sqlite3.Connection, path: Path, kind: Kind) -> None:
    """Bring an older file up, after a backup copy beside it, in one transaction that no other writer overlaps."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _pragma(connection, "user_version")
        if version < kind.version:  # another process may have done it while we waited
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise _damaged(path, kind.label, problem)
            _back_up(path, version)
            _apply_migrations(connection, kind)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _back_up(path: Path, version: int) -> None:
    # Our own transaction keeps writers out, so a second connection copies a file that stands still.
    target = path.with_name(f"{path.name}.v{version}-{os.urandom(4).hex()}.bak")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR, PRIVATE_FILE))
    source, copy = _connect(path), _connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    target.chmod(PRIVATE_FILE)
    sync_folder(path.parent)


def _apply_migrations(connection: sqlite3.Connection, kind: Kind) -> None:
    from sqlite_utils import Database, Migrations

    migrations = Migrations(kind.label)
    for number, statements in enumerate(kind.steps, start=1):

        def step(database: Database, statements: tuple[str, ...] = statements) -> None:
            for statement in statements:
                database.execute(statement)

        migrations(name=f"{number}")(step)
    # execute_plugins: other packages' entry points have no business in a store of keys.
    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA application_id={kind.application_id}")
    connection.execute(f"PRAGMA user_version={kind.version}")


@contextmanager
def empty_database(kind: Kind) -> Iterator[sqlite3.Connection]:
    """A database in memory with nothing in it: what a file that does not exist yet reads as."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        for statements in kind.steps:
            for statement in statements:
                connection.execute(statement)
        yield connection
    finally:
        connection.close()


def _damaged(path: Path, label: str, why: str) -> StoreDamagedError:
    return StoreDamagedError(
        f"The {label} {path} is damaged",
        why=why,
        not_done=_UNTOUCHED,
        remedy=f"ls {path.parent}/*.bak, to put a backup in its place",
    )


@contextmanager
def translated_errors(path: Path, label: str) -> Iterator[None]:
    """SQLite's errors as ours: damaged, locked, or out of order."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise _damaged(path, label, str(error)) from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StoreLockedError(
                f"The {label} {path} is locked",
                why=f"Another process has been writing for more than {BUSY_TIMEOUT_SECONDS:.0f} s",
                not_done="Nothing was changed",
                remedy="the same command again, in a moment",
            ) from error
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            raise UnavailableError(
                f"The {label} {path} could not be read or written", why=str(error), not_done="Nothing was changed"
            ) from error
        raise
