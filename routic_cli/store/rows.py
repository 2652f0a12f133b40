"""Rows to keys, and queries to SQL. Every fragment is fixed text; what a user typed travels as a parameter."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from routic_cli.domain.errors import KeyNotFoundError, StoreDamagedError
from routic_cli.domain.keys import (
    Key,
    KeyId,
    KeyQuery,
    KeyTraits,
    KeyVersion,
    Scope,
    SortField,
    UnixSeconds,
)
from routic_cli.domain.lifecycle import key_status
from routic_cli.domain.secret import Fingerprint
from routic_cli.store.interface import LastUsed

STATUS_SQL: Final = (
    "CASE WHEN revoked_at IS NOT NULL THEN 'revoked'"
    " WHEN expires_at IS NOT NULL AND expires_at <= :now THEN 'expired' ELSE 'active' END"
)

# What never ends comes behind what ends; what was never used before what was.
_NEVER_ENDS: Final = 1 << 62
_SORT_SQL: Final[Mapping[SortField, str]] = {
    SortField.NAME: "name",
    SortField.CREATED_AT: "created_at",
    SortField.EXPIRES_AT: f"coalesce(expires_at, {_NEVER_ENDS})",
    # The log of their use is another file: what it tells of all keys comes as one parameter.
    SortField.LAST_USED_AT: "coalesce((SELECT at FROM last_used WHERE last_used.id = keys.id), 0)",
    SortField.STATUS: STATUS_SQL,
}

Values = dict[str, str | int | None]


def conditions_of(
    query: KeyQuery, account: str, now: UnixSeconds, last_used: LastUsed, *, any_status: bool = False
) -> tuple[str, Values]:
    """The WHERE clause of a query and its parameters."""
    parts = ["account = :account"]
    values: Values = {"account": account, "now": now}
    if query.status is not None and not any_status:
        parts.append(f"{STATUS_SQL} = :status")
        values["status"] = query.status
    if query.name_glob is not None:
        parts.append("name GLOB :glob")
        values["glob"] = query.name_glob
    for number, (name, value) in enumerate(query.tags.items()):
        parts.append(
            f"EXISTS (SELECT 1 FROM json_each(tags) AS t"  # noqa: S608  # a number and fixed text
            f" WHERE t.key = :tag{number} AND t.value = :value{number})"
        )
        values |= {f"tag{number}": name, f"value{number}": value}
    if query.unused_since is not None:
        parts.append("created_at < :unused_since AND id NOT IN (SELECT value FROM json_each(:used))")
        used = [key_id for key_id, at in last_used.items() if at >= query.unused_since]
        values |= {"unused_since": query.unused_since, "used": json.dumps(used)}
    if query.expires_before is not None:
        parts.append("expires_at IS NOT NULL AND expires_at < :expires_before")
        values["expires_before"] = query.expires_before
    return " AND ".join(parts), values


@contextmanager
def sortable(connection: sqlite3.Connection, query: KeyQuery, last_used: LastUsed) -> Iterator[None]:
    """What an order by last use asks, for the block; in memory of this connection's own."""
    if query.sort is not SortField.LAST_USED_AT:
        yield
        return
    connection.execute("CREATE TEMP TABLE last_used (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID")
    connection.execute(
        "INSERT INTO last_used SELECT key, value FROM json_each(?) ORDER BY key", (json.dumps(dict(last_used)),)
    )
    yield
    connection.execute("DROP TABLE last_used")


@dataclass(frozen=True, slots=True)
class Order:
    """An ORDER BY clause, and the condition that skips everything up to a key."""

    by: str
    after: str | None
    values: Values


def order_of(connection: sqlite3.Connection, query: KeyQuery, account: str, now: UnixSeconds) -> Order:
    """The order of a query. Equal values come in the order of registration, so that pages never overlap."""
    column = _SORT_SQL[query.sort]
    direction, beyond = ("DESC", "<") if query.descending else ("ASC", ">")
    by = f"{column} {direction}, seq {direction}"
    if query.after is None:
        return Order(by, None, {"now": now})
    row = connection.execute(
        f"SELECT {column} AS value, seq FROM keys WHERE id = :id AND account = :account",  # noqa: S608  # ours
        {"id": query.after, "account": account, "now": now},
    ).fetchone()
    if row is None:
        raise KeyNotFoundError(f"No key has the id '{query.after}'", why="A page begins behind a key", param="after")
    after = f"({column}, seq) {beyond} (:after_value, :after_seq)"
    return Order(by, after, {"now": now, "after_value": row["value"], "after_seq": row["seq"]})


def keys_of(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row], now: UnixSeconds) -> list[Key]:
    """The keys of some rows, with all their versions, in the rows' order."""
    versions: dict[int, list[KeyVersion]] = {row["seq"]: [] for row in rows}
    for row in connection.execute(
        "SELECT * FROM versions WHERE key_seq IN (SELECT value FROM json_each(?)) ORDER BY key_seq, number",
        (json.dumps(list(versions)),),
    ):
        versions[row["key_seq"]].append(
            KeyVersion(row["number"], Fingerprint(row["sha256"]), row["hint"], row["created_at"], row["expires_at"])
        )
    with readable():
        return [_key_of(row, tuple(versions[row["seq"]]), now) for row in rows]


@contextmanager
def readable() -> Iterator[None]:
    """StoreDamagedError when a row holds what routic never wrote: SQLite notices torn pages, not changed text."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise StoreDamagedError(
            "The key store is damaged", why=f"A row cannot be read: {type(error).__name__}", not_done="It was only read"
        ) from error


def _key_of(row: sqlite3.Row, versions: tuple[KeyVersion, ...], now: UnixSeconds) -> Key:
    if not versions:
        raise ValueError("a key without a version")
    return Key(
        id=KeyId(row["id"]),
        traits=KeyTraits(
            name=row["name"],
            tags=dict(json.loads(row["tags"])),
            scopes=tuple(Scope(each) for each in json.loads(row["scopes"])),
            rpm=row["rpm"],
            expires_at=row["expires_at"],
        ),
        status=key_status(revoked_at=row["revoked_at"], expires_at=row["expires_at"], now=now),
        versions=versions,
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        revoke_reason=row["revoke_reason"],
    )
