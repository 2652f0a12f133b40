"""This machine's memory: operations that are open, and where secrets were placed. Never a secret."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from routic_cli.domain.keys import KeyId
from routic_cli.domain.operations import Operation, PlacedVersion
from routic_cli.domain.secret import Fingerprint
from routic_cli.private_files import is_there
from routic_cli.store.database import empty_database, open_database
from routic_cli.store.migrations import STATE
from routic_cli.store.sqlite_errors import translated_errors


class StateStore:
    """Open operations and placements in the file at `path`, made by the first write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def add_operation(self, operation: Operation) -> None:
        """Remember an operation before its first effect."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO operations (id, store, kind, key_id, number, sha256, sinks, started_at, previous, grace,"
                " until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    operation.id,
                    operation.store,
                    operation.kind,
                    operation.key_id,
                    operation.number,
                    operation.sha256,
                    json.dumps([dict(sink) for sink in operation.sinks]),
                    operation.started_at,
                    operation.previous,
                    operation.grace,
                    operation.until,
                ),
            )

    def end_operation(self, operation_id: str, placements: Sequence[PlacedVersion] = ()) -> None:
        """Forget an operation; what it placed is known from the same moment on."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO placements"
                " (kind, location, variable, store, key_id, number, sha256, placed_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (p.kind, p.location, p.variable, p.store, p.key_id, p.number, p.sha256, p.placed_at)
                    for p in placements
                ),
            )
            connection.execute("DELETE FROM operations WHERE id = ?", (operation_id,))

    def operations(self, store: str | None = None) -> list[Operation]:
        """The open operations on a store, or on all, the oldest first."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT * FROM operations WHERE ?1 IS NULL OR store = ?1 ORDER BY started_at, id", (store,)
            ).fetchall()
        return [
            Operation(
                row["id"],
                row["store"],
                row["kind"],
                KeyId(row["key_id"]),
                row["number"],
                Fingerprint(row["sha256"]),
                json.loads(row["sinks"]),
                row["started_at"],
                row["previous"],
                row["grace"],
                row["until"],
            )
            for row in rows
        ]

    def placements(self, store: str, key_id: KeyId) -> list[PlacedVersion]:
        """Where a key was placed on this machine, the first place first."""
        return self._placements("store = ? AND key_id = ?", store, key_id)

    def placement_at(self, kind: str, location: str, variable: str) -> PlacedVersion | None:
        """What is remembered of a place, for whichever store."""
        found = self._placements("kind = ? AND location = ? AND variable = ?", kind, location, variable)
        return found[0] if found else None

    def all_placements(self, store: str) -> list[PlacedVersion]:
        """Where the keys of a store were placed on this machine."""
        return self._placements("store = ?", store)

    def _placements(self, condition: str, *values: str) -> list[PlacedVersion]:
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM placements WHERE {condition} ORDER BY placed_at, location, variable",  # noqa: S608  # ours
                values,
            ).fetchall()
        return [
            PlacedVersion(
                row["kind"],
                row["location"],
                row["variable"],
                row["store"],
                KeyId(row["key_id"]),
                row["number"],
                Fingerprint(row["sha256"]),
                row["placed_at"],
            )
            for row in rows
        ]

    def forget_placement(self, placed: PlacedVersion) -> None:
        """The place does not hold a key any more."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM placements WHERE kind = ? AND location = ? AND variable = ?",
                (placed.kind, placed.location, placed.variable),
            )

    def keep_sealed(self, store: str, key_id: KeyId, number: int, previous: bytes) -> None:
        """Keep what `rotate --abort` needs."""
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?, ?)", (store, key_id, number, previous))

    def sealed(self, store: str, key_id: KeyId, number: int) -> bytes | None:
        """The previous secret of a key, sealed by this version of it."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT previous FROM sealed WHERE store = ? AND key_id = ? AND number = ?", (store, key_id, number)
            ).fetchone()
        return row["previous"] if row else None

    def forget_sealed(self, store: str, key_id: KeyId, *, but: int | None = None) -> None:
        """There is nothing to put back any more, `but` for what this version opens."""
        if self._connection is None and not self._path.exists():
            return
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM sealed WHERE store = ? AND key_id = ? AND number IS NOT ?", (store, key_id, but)
            )

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._connection is None and not is_there(self._path, STATE.label):
            with empty_database(STATE) as empty:
                yield empty
            return
        with translated_errors(self._path, STATE.label):
            yield self._opened()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = self._opened()
        with translated_errors(self._path, STATE.label):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_database(self._path, STATE)
        return self._connection
