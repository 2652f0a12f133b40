"""The schema of each SQLite file, as the steps that led to it. Forward only; a step that has shipped never changes.

`keys.db` and `usage.db` hold fingerprints and hints, never a secret. Times are unix seconds.
"""

from __future__ import annotations

from typing import Final

from routic_cli.store.connection import Kind

_KEYS_1: Final = (
    """
    CREATE TABLE keys (
        seq INTEGER PRIMARY KEY,            -- the order of registration
        id TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        tags TEXT NOT NULL,                 -- JSON object of strings
        scopes TEXT NOT NULL,               -- JSON array of strings
        rpm INTEGER CHECK (rpm > 0),
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER,
        revoke_reason TEXT
    ) STRICT
    """,
    # Not unique: a name is freed when its key expires, which no index can know.
    "CREATE INDEX keys_by_name ON keys (account, name)",
    """
    CREATE TABLE versions (
        key_seq INTEGER NOT NULL REFERENCES keys (seq),
        number INTEGER NOT NULL CHECK (number > 0),
        sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
        hint TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        PRIMARY KEY (key_seq, number)
    ) STRICT, WITHOUT ROWID
    """,
    # By id, not by key: a version can be given up before the key was ever seen here.
    """
    CREATE TABLE tombstones (
        key_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (key_id, number, sha256)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE trail (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        account TEXT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        key_id TEXT NOT NULL,
        detail TEXT NOT NULL                -- JSON object, never a secret
    ) STRICT
    """,
)

_STATE_1: Final = (
    """
    CREATE TABLE operations (
        id TEXT PRIMARY KEY,
        store TEXT NOT NULL,
        kind TEXT NOT NULL,
        key_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        sinks TEXT NOT NULL,                -- JSON array of what each sink needs for its recovery
        started_at INTEGER NOT NULL,
        previous INTEGER,                   -- of a rotation: the version it retires, and for how many seconds
        grace INTEGER,
        until INTEGER                       -- of an abort: the end that the version put back had
    ) STRICT
    """,
    """
    CREATE TABLE placements (
        kind TEXT NOT NULL,
        location TEXT NOT NULL,
        variable TEXT NOT NULL,
        store TEXT NOT NULL,
        key_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        placed_at INTEGER NOT NULL,
        PRIMARY KEY (kind, location, variable)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX placements_by_key ON placements (store, key_id)",
    # What `rotate --abort` puts back: a previous secret, sealed by the one that replaced it (domain/seal.py).
    """
    CREATE TABLE sealed (
        store TEXT NOT NULL,
        key_id TEXT NOT NULL,
        number INTEGER NOT NULL,            -- the version whose secret opens it
        previous BLOB NOT NULL,
        PRIMARY KEY (store, key_id, number)
    ) STRICT, WITHOUT ROWID
    """,
)

# Narrow, for tens of millions of rows: a text that comes again and again is stored once, and an event has its number.
# So have account, outcome, method, path, address, agent, origin, model and key_id. Foreign keys would be checked nine
# times for each row, which only one piece of code ever writes. `cost` is in billionths of the account's currency.
_USAGE_1: Final = (
    """
    CREATE TABLE texts (
        id INTEGER PRIMARY KEY,
        text TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,            -- the order of arrival
        time INTEGER NOT NULL,
        key_id INTEGER,
        version INTEGER,
        sha256 BLOB CHECK (length(sha256) = 32),    -- of an unknown key, else null
        account INTEGER,
        outcome INTEGER NOT NULL,
        method INTEGER NOT NULL,
        path INTEGER NOT NULL,
        status INTEGER NOT NULL,
        address INTEGER,
        agent INTEGER,
        origin INTEGER,
        tokens_in INTEGER,
        tokens_out INTEGER,
        cost INTEGER,
        model INTEGER,
        request_id TEXT,
        flags INTEGER NOT NULL DEFAULT 0    -- bits, in the order of domain/usage.Flag
    ) STRICT
    """,
    "CREATE INDEX events_by_key ON events (key_id, time) WHERE key_id IS NOT NULL",
)


KEY_STORE: Final = Kind(label="key store", application_id=0x726F7574, steps=(_KEYS_1,))
STATE: Final = Kind(label="state file", application_id=0x726F7573, steps=(_STATE_1,))
USAGE: Final = Kind(label="usage log", application_id=0x726F7575, steps=(_USAGE_1,))
