"""A kind of SQLite file, and a connection to one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

BUSY_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: what it is called in messages, and how it is told from any other SQLite file.

    `steps` are the statements of each migration; `user_version` counts how many of them a file has had.
    `functions` are what the steps call by name, of one text each.
    """

    label: str
    application_id: int
    steps: tuple[tuple[str, ...], ...]
    functions: Mapping[str, Callable[[str | None], str | None]] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The version that this routic writes."""
        return len(self.steps)


def connect(path: Path, patience: float | None = None) -> sqlite3.Connection:
    """A connection in autocommit mode to a file that exists. `patience`: seconds to wait for others, if not as ever."""
    # mode=rw: SQLite must never create a file here, it would have the umask's mode.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT_SECONDS if patience is None else patience,
        check_same_thread=False,
    )
    try:
        connection.row_factory = sqlite3.Row
        # EXTRA syncs the folder after the journal is unlinked; FULL would let a commit be lost with the power.
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def run_steps(connection: sqlite3.Connection, kind: Kind, statements: tuple[str, ...]) -> None:
    """The statements of one step, with the functions that they may call."""
    for name, function in kind.functions.items():
        connection.create_function(name, 1, function, deterministic=True)
    for statement in statements:
        connection.execute(statement)


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """A number that SQLite keeps about a file."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
