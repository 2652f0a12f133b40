"""Opening one of routic's SQLite files: private, ours, whole, of a version we know, or not at all.

Nothing here or above changes a file that is damaged, foreign or newer: the checks only read.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import (
    RouticError,
    StoreDamagedError,
    StoreForeignError,
    StoreNewerError,
    UnsafeDestinationError,
)
from routic_cli.private_files import (
    PRIVATE_FILE,
    check_private,
    check_private_folder,
    is_there,
    make_private_folder,
    sync_folder,
)
from routic_cli.store.connection import Kind, connect, pragma, run_steps
from routic_cli.store.mending import BESIDE, backup, other_file, start_over
from routic_cli.store.sqlite_errors import UNTOUCHED, damaged, translated_errors
from routic_cli.store.upgrading import apply_steps, upgrade

_OLDEST_SQLITE: Final = (3, 37, 0)  # STRICT tables


def open_database(path: Path, kind: Kind, *, create: bool = True, patience: float | None = None) -> sqlite3.Connection:
    """A connection in autocommit mode to a file that passed every check.

    Creates or migrates the file first where that is needed. FileNotFoundError when it does not exist and `create` is
    False; UnsafeDestinationError, StoreDamagedError and its kin, StoreLockedError otherwise.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise RouticError(
            f"This Python has SQLite {sqlite3.sqlite_version}",
            why=f"routic needs {'.'.join(map(str, _OLDEST_SQLITE))} or newer",
            not_done="Nothing was opened",
        )
    if not is_there(path, kind.label):
        if not create:
            raise FileNotFoundError(path)
        _create(path, kind)
    _check_private(path, kind)
    _check_identity_unlocked(path, kind)
    with translated_errors(path, kind.label, patience):
        connection = connect(path, patience)
        try:
            if _checked_version(connection, path, kind) < kind.version:
                upgrade(connection, path, kind)
        except BaseException:
            connection.close()
            raise
    return connection


def _check_private(path: Path, kind: Kind) -> None:
    checked = path
    try:
        check_private(path, kind.label)
        for suffix in BESIDE:
            # SQLite plays back whatever journal it finds: one that others may write is a way to write the store.
            beside = path.with_name(path.name + suffix)
            if is_there(beside, kind.label):
                checked = beside
                check_private(beside, f"{kind.label}'s journal")
    except UnsafeDestinationError as error:
        # `--store /etc/passwd` is as private as it should be: no advice for files that are not ours.
        is_chmod = error.remedy.startswith("chmod")
        if is_chmod and not _has_identity(path, kind):
            error.remedy = other_file(path, kind.label)
        elif not is_chmod:
            error.remedy = start_over(checked, kind.label) or error.remedy
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
        check_private_folder(path.parent, kind.label)
        draft = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.new")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR, PRIVATE_FILE))
        try:
            draft.chmod(PRIVATE_FILE)
            with translated_errors(path, kind.label), closing(connect(draft)) as connection:
                apply_steps(connection, kind)
            with suppress(FileExistsError):  # another routic was faster: its file is as good as ours
                os.link(draft, path)
            sync_folder(path.parent)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise RouticError(
            f"The {kind.label} {path} could not be created",
            why=error.strerror or str(error),
            not_done="Nothing was stored",
        ) from error


def _check_identity_unlocked(path: Path, kind: Kind) -> None:
    """Refuse a file that is not ours before SQLite plays back its journal, or makes one beside it.

    `immutable` takes no lock and writes nothing, and may read half of what another process is just writing: an error
    here proves nothing, the check under a lock decides.
    """
    if path.stat().st_size == 0:
        raise StoreDamagedError(
            f"The {kind.label} {path} is empty",
            why="A store is never empty: something has cut it",
            not_done=UNTOUCHED,
            remedy=backup(path, kind.label),
        )
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection,
    ):
        _checked_identity(connection, path, kind)


def _checked_identity(connection: sqlite3.Connection, path: Path, kind: Kind) -> int:
    """The file's schema version, once it is sure that the file is ours and none of a newer routic."""
    application_id = pragma(connection, "application_id")
    version = pragma(connection, "user_version")
    if application_id != kind.application_id:
        raise StoreForeignError(
            f"{path} is not a routic {kind.label}",
            why="It is a SQLite file of another program",
            not_done=UNTOUCHED,
            remedy=other_file(path, kind.label),
        )
    if version > kind.version:
        raise StoreNewerError(
            f"The {kind.label} {path} was written by a newer routic",
            why=f"Its version is {version}, this routic knows {kind.version}",
            not_done=UNTOUCHED,
            remedy="pip install --upgrade routic",
        )
    if version < 1:
        raise damaged(path, kind.label, f"Its version is {version}")
    return version


def _checked_version(connection: sqlite3.Connection, path: Path, kind: Kind) -> int:
    """The file's schema version, once it is sure that the file is ours and as long as it says it is."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        # WAL before SQLite 3.51.3 can corrupt, and NORMAL under it acknowledges what it has not synced.
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("BEGIN")  # a read transaction: no writer can change the file's length meanwhile
    try:
        version = _checked_identity(connection, path, kind)
        expected_size = pragma(connection, "page_count") * pragma(connection, "page_size")
        actual_size = path.stat().st_size
    finally:
        connection.execute("ROLLBACK")
    if actual_size < expected_size:
        raise damaged(path, kind.label, f"{actual_size} of {expected_size} bytes are left")
    return version


@contextmanager
def empty_database(kind: Kind) -> Iterator[sqlite3.Connection]:
    """A database in memory with nothing in it: what a file that does not exist yet reads as."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        for statements in kind.steps:
            run_steps(connection, kind, statements)
        yield connection
    finally:
        connection.close()
