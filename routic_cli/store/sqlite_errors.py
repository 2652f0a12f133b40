"""SQLite's errors as ours: damaged, locked, or out of order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import StoreDamagedError, StoreLockedError, UnavailableError
from routic_cli.store import connection
from routic_cli.store.mending import backup, room

UNTOUCHED: Final = "It has not been touched"

_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_OUT_OF_ORDER: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
}
# Of a file whose version is known, these too mean damage; SQLite has no code of their own for them.
_DAMAGED_MESSAGES: Final = ("no such table", "no such column", "Could not decode to UTF-8", "malformed JSON")


@contextmanager
def translated_errors(path: Path, label: str, patience: float | None = None) -> Iterator[None]:
    """Raise what SQLite says in the block as one of our errors. `patience`: the seconds waited, if not as ever."""
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in _DAMAGED or str(error).startswith(_DAMAGED_MESSAGES):
            raise damaged(path, label, str(error)) from error
        if code in _LOCKED:
            seconds = connection.BUSY_TIMEOUT_SECONDS if patience is None else patience
            raise StoreLockedError(
                f"The {label} {path} is locked",
                why=f"Another process has been busy with it for more than {seconds:.0f} s",
                not_done="Nothing was changed",
                remedy="the same command again, in a moment",
            ) from error
        if code in _OUT_OF_ORDER:
            raise UnavailableError(
                f"The {label} {path} could not be read or written",
                why=str(error),
                not_done="Nothing was changed",
                remedy=room(path) if code == sqlite3.SQLITE_FULL else "",
            ) from error
        raise


def damaged(path: Path, label: str, why: str) -> StoreDamagedError:
    """What is said of a file that is ours, or was."""
    return StoreDamagedError(
        f"The {label} {path} is damaged",
        why=why,
        not_done=UNTOUCHED,
        remedy=backup(path, label),
    )


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another connection was in the way for too long."""
    return _code(error) in _LOCKED


def _code(error: sqlite3.Error) -> int:
    # The primary code is the low byte; an error that Python's own module raises has none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
