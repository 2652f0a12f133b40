"""What is read and written of keys in one transaction of a SQLite file. Who opens and ends it: sqlite.py."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from routic_cli.domain.accounts import Ledger
from routic_cli.domain.keys import (
    Key,
    KeyId,
    KeyPage,
    KeyQuery,
    KeyStatus,
    KeyTraits,
    NewKey,
    NewVersion,
    UnixSeconds,
)
from routic_cli.domain.secret import Fingerprint
from routic_cli.store.interface import NEVER_USED, Holder, LastUsed, TrailEntry
from routic_cli.store.rows import STATUS_SQL, Values, conditions_of, keys_of, order_of, readable, sortable

_BEHIND_ALL: Final = (1 << 63) - 1


class SqliteReader:
    """The questions, on a connection with an open transaction."""

    def __init__(self, connection: sqlite3.Connection, account: str, now: UnixSeconds) -> None:
        self._connection = connection
        self._account = account
        self._now = now

    def key(self, key_id: KeyId) -> Key | None:
        """The key with this id."""
        return next(iter(self._keys("id = ?", key_id)), None)

    def keys_named(self, name: str) -> list[Key]:
        """Every key that has or had the name, the oldest first."""
        return self._keys("name = ?", name)

    def keys_by_id_prefix(self, prefix: str, limit: int) -> list[Key]:
        """Keys whose id begins so, at most `limit`."""
        # A range, not LIKE: `_` is a wildcard there, and every id has one.
        return self._keys("id >= ? AND id < ?", prefix, prefix + "\x7f", limit=limit)

    def key_of_version(self, sha256: Fingerprint) -> Holder | None:
        """The key that has a version with this fingerprint; in any account."""
        row = self._connection.execute("SELECT key_seq, number FROM versions WHERE sha256 = ?", (sha256,)).fetchone()
        if row is None:
            return None
        found = self._connection.execute("SELECT * FROM keys WHERE seq = ?", (row["key_seq"],)).fetchall()
        return Holder(keys_of(self._connection, found, self._now)[0], row["number"], found[0]["account"])

    def is_given_up(self, key_id: KeyId, number: int, sha256: Fingerprint) -> bool:
        """Whether a tombstone stands for this secret as this version of this id."""
        return (
            self._connection.execute(
                "SELECT 1 FROM tombstones WHERE key_id = ? AND number = ? AND sha256 = ?", (key_id, number, sha256)
            ).fetchone()
            is not None
        )

    def page(self, query: KeyQuery, last_used: LastUsed = NEVER_USED) -> KeyPage:
        """Keys that meet the query, in its order, from the one behind `query.after`."""
        where, values = conditions_of(query, self._account, self._now, last_used)
        with sortable(self._connection, query, last_used):
            return self._page(query, where, values)

    def _page(self, query: KeyQuery, where: str, values: Values) -> KeyPage:
        order = order_of(self._connection, query, self._account, self._now)
        if order.after is not None:
            where, values = f"{where} AND {order.after}", values | order.values
        rows = self._connection.execute(
            f"SELECT * FROM keys WHERE {where} ORDER BY {order.by} LIMIT :limit",  # noqa: S608  # our own fragments
            values | order.values | {"limit": query.limit + 1},
        ).fetchall()
        keys = keys_of(self._connection, rows[: query.limit], self._now)
        return KeyPage(tuple(keys), has_more=len(rows) > query.limit)

    def tally(self, query: KeyQuery, last_used: LastUsed = NEVER_USED) -> Mapping[KeyStatus, int]:
        """How many keys of each status meet the query's other conditions."""
        where, values = conditions_of(query, self._account, self._now, last_used, any_status=True)
        rows = self._connection.execute(
            f"SELECT {STATUS_SQL} AS status, count(*) AS n FROM keys WHERE {where} GROUP BY 1",  # noqa: S608  # as above
            values,
        )
        return {KeyStatus(row["status"]): row["n"] for row in rows}

    def names_in_use(self, names: Sequence[str]) -> set[str]:
        """Those of the names that a live key has."""
        rows = self._connection.execute(
            "SELECT name FROM keys WHERE account = :account AND revoked_at IS NULL"
            " AND (expires_at IS NULL OR expires_at > :now) AND name IN (SELECT value FROM json_each(:names))",
            {"account": self._account, "now": self._now, "names": json.dumps(list(names))},
        )
        return {row["name"] for row in rows}

    def hashes_in_use(self, hashes: Sequence[Fingerprint]) -> set[Fingerprint]:
        """Those of the fingerprints that a version has, in any account."""
        rows = self._connection.execute(
            "SELECT sha256 FROM versions WHERE sha256 IN (SELECT value FROM json_each(?))", (json.dumps(list(hashes)),)
        )
        return {Fingerprint(row["sha256"]) for row in rows}

    def ids_in_use(self, key_ids: Sequence[KeyId]) -> set[KeyId]:
        """Those of the ids that a key has, in any account."""
        rows = self._connection.execute(
            "SELECT id FROM keys WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(key_ids)),)
        )
        return {KeyId(row["id"]) for row in rows}

    def ids_given_up(self, key_ids: Sequence[KeyId]) -> set[KeyId]:
        """Those of the ids that a tombstone names, whichever version it stands for."""
        rows = self._connection.execute(
            "SELECT key_id FROM tombstones WHERE key_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(key_ids)),),
        )
        return {KeyId(row["key_id"]) for row in rows}

    def ledger(self) -> Ledger:
        """What is kept of the account's balance; an empty one for an account that nothing was set of."""
        row = self._connection.execute(
            "SELECT currency, balance, spent, set_at FROM accounts WHERE name = ?", (self._account,)
        ).fetchone()
        return Ledger() if row is None else Ledger(*row)

    def trail(self, *, limit: int, before: int | None = None) -> list[TrailEntry]:
        """The latest entries of the audit trail, or the latest with a number below `before`; the newest first."""
        rows = self._connection.execute(
            "SELECT * FROM trail WHERE account = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (self._account, _BEHIND_ALL if before is None else before, limit),
        )
        with readable():
            return [
                TrailEntry(
                    row["at"],
                    row["actor"],
                    row["action"],
                    KeyId(row["key_id"]) if row["key_id"] else None,
                    json.loads(row["detail"]),
                    row["seq"],
                )
                for row in rows
            ]

    def _keys(self, condition: str, *values: str, limit: int = -1) -> list[Key]:
        rows = self._connection.execute(
            f"SELECT * FROM keys WHERE account = ? AND {condition} ORDER BY seq LIMIT ?",  # noqa: S608  # as above
            (self._account, *values, limit),
        ).fetchall()
        return keys_of(self._connection, rows, self._now)


class SqliteWriter(SqliteReader):
    """The changes, inside BEGIN IMMEDIATE."""

    def insert_keys(self, keys: Sequence[NewKey]) -> None:
        """Keys that must be new, each with its first version."""
        self._connection.executemany(
            "INSERT INTO keys (id, account, name, tags, scopes, rpm, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    key.id,
                    self._account,
                    key.traits.name,
                    json.dumps(dict(key.traits.tags)),
                    json.dumps(key.traits.scopes),
                    key.traits.rpm,
                    key.version.created_at,
                    key.traits.expires_at,
                )
                for key in keys
            ),
        )
        self._insert_versions((key.id, key.version) for key in keys)

    def insert_version(self, key_id: KeyId, version: NewVersion) -> None:
        """The next version of a key that exists."""
        self._insert_versions([(key_id, version)])

    def _insert_versions(self, versions: Iterable[tuple[KeyId, NewVersion]]) -> None:
        self._connection.executemany(
            "INSERT INTO versions (key_seq, number, sha256, hint, created_at)"
            " VALUES ((SELECT seq FROM keys WHERE id = ?), ?, ?, ?, ?)",
            ((key_id, v.number, v.sha256, v.hint, v.created_at) for key_id, v in versions),
        )

    def delete_version(self, key_id: KeyId, number: int) -> None:
        """Forget a version that never came to anybody's use."""
        self._connection.execute(
            "DELETE FROM versions WHERE key_seq = (SELECT seq FROM keys WHERE id = ?) AND number = ?", (key_id, number)
        )

    def end_version(self, key_id: KeyId, number: int, at: UnixSeconds | None) -> None:
        """Set or clear the end of a version."""
        self._connection.execute(
            "UPDATE versions SET expires_at = ? WHERE key_seq = (SELECT seq FROM keys WHERE id = ?) AND number = ?",
            (at, key_id, number),
        )

    def set_traits(self, key_id: KeyId, traits: KeyTraits) -> None:
        """Replace what the owner decides of a key."""
        self._connection.execute(
            "UPDATE keys SET name = ?, tags = ?, scopes = ?, rpm = ?, expires_at = ? WHERE id = ?",
            (
                traits.name,
                json.dumps(dict(traits.tags)),
                json.dumps(traits.scopes),
                traits.rpm,
                traits.expires_at,
                key_id,
            ),
        )

    def set_revoked(self, key_ids: Sequence[KeyId], at: UnixSeconds, reason: str | None) -> None:
        """Mark keys as revoked."""
        self._connection.executemany(
            "UPDATE keys SET revoked_at = ?, revoke_reason = ? WHERE id = ?", ((at, reason, each) for each in key_ids)
        )

    def add_tombstone(self, key_id: KeyId, number: int, sha256: Fingerprint, at: UnixSeconds) -> None:
        """Let no later registration bring this secret to life as this version of this id. Twice is once."""
        self._connection.execute(
            "INSERT INTO tombstones (key_id, number, sha256, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (key_id, number, sha256, at),
        )

    def set_ledger(self, ledger: Ledger) -> None:
        """Replace what is kept of the account's balance."""
        self._connection.execute(
            "INSERT OR REPLACE INTO accounts (name, currency, balance, spent, set_at) VALUES (?, ?, ?, ?, ?)",
            (self._account, ledger.currency, ledger.balance, ledger.spent, ledger.set_at),
        )

    def add_trail(self, entries: Sequence[TrailEntry]) -> None:
        """Append to the audit trail."""
        self._connection.executemany(
            "INSERT INTO trail (at, account, actor, action, key_id, detail) VALUES (?, ?, ?, ?, ?, ?)",
            ((e.at, self._account, e.actor, e.action, e.key_id or "", json.dumps(dict(e.detail))) for e in entries),
        )
