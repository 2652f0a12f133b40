"""The schema of each SQLite file, as the steps that led to it. Forward only; a step that has shipped never changes.

`keys.db` and `usage.db` hold fingerprints and hints, never a secret. Times are unix seconds.
"""

from __future__ import annotations

from typing import Final

from routic_cli.domain.clients import family_of
from routic_cli.domain.networks import network_of
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

# An account is there as soon as a key names it; a row, once its balance or its currency is set. In billionths.
_KEYS_2: Final = (
    """
    CREATE TABLE accounts (
        name TEXT PRIMARY KEY,
        currency TEXT NOT NULL,
        balance INTEGER,                    -- as it was set, at set_at
        spent INTEGER NOT NULL,             -- what the usage log said then that had been spent in all
        set_at INTEGER
    ) STRICT, WITHOUT ROWID
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

# From one row a call to three layers. What calls have in common (who, from where, with what, and what came of it) is
# one row of `series`; an event names its series; `hours` counts each series by the hour, as it is written, so that a
# question about a month reads thousands of rows and not millions. In `series`, 0 stands for none: SQLite takes two
# NULLs for different, and a series must be found again. `network` and `family` are worked out once a series.
# Events lie in the order of their time: logs are, and an index over a hash would be written all over the file.
_USAGE_2: Final = (
    "DROP INDEX events_by_key",
    "ALTER TABLE events RENAME TO old_events",
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        key_id INTEGER NOT NULL,
        version INTEGER NOT NULL,
        account INTEGER NOT NULL,
        outcome INTEGER NOT NULL,
        method INTEGER NOT NULL,
        status INTEGER NOT NULL,
        address INTEGER NOT NULL,
        network INTEGER NOT NULL,
        agent INTEGER NOT NULL,
        family INTEGER NOT NULL,
        origin INTEGER NOT NULL,
        model INTEGER NOT NULL,
        flags INTEGER NOT NULL,             -- bits, in the order of domain/usage.Flag
        UNIQUE (key_id, version, account, outcome, method, status, address, agent, origin, model, flags)
    ) STRICT
    """,
    """
    CREATE TABLE events (
        time INTEGER NOT NULL,
        identity INTEGER NOT NULL,          -- the same again is the same event again
        series INTEGER NOT NULL,
        path INTEGER NOT NULL,
        request_id TEXT,
        tokens_in INTEGER,
        tokens_out INTEGER,
        cost INTEGER,
        sha256 BLOB,
        PRIMARY KEY (time, identity)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE hours (
        hour INTEGER NOT NULL,
        series INTEGER NOT NULL,
        calls INTEGER NOT NULL,
        tokens_in INTEGER NOT NULL,
        tokens_out INTEGER NOT NULL,
        cost INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (hour, series)
    ) STRICT, WITHOUT ROWID
    """,
    # Keys that no store knows, by the hour and the address that tried them.
    """
    CREATE TABLE strangers (
        hour INTEGER NOT NULL,
        address INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        calls INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (hour, address, sha256)
    ) STRICT, WITHOUT ROWID
    """,
    # What stays when events are pruned: when a version was let in last, and what an account has spent.
    """
    CREATE TABLE last_uses (
        key_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        account TEXT,
        at INTEGER NOT NULL,
        calls INTEGER NOT NULL,
        PRIMARY KEY (key_id, version)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE spent (
        account TEXT PRIMARY KEY,
        cost INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Up to when an account's events were forgotten: the same log again must not bring them back.
    """
    CREATE TABLE horizons (
        account TEXT PRIMARY KEY,           -- '' for events of nobody, '*' for those of all
        before INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Counted up whenever rows of `texts` and `series` are removed: what a process remembers of their numbers is void.
    "CREATE TABLE pruned (times INTEGER NOT NULL) STRICT",
    "INSERT INTO pruned VALUES (0)",
    """
    INSERT OR IGNORE INTO texts (text)
        SELECT network_of(text) FROM texts WHERE id IN (SELECT address FROM old_events) AND network_of(text) NOT NULL
        UNION SELECT family_of(text) FROM texts WHERE id IN (SELECT agent FROM old_events) AND family_of(text) NOT NULL
    """,
    """
    INSERT INTO series (key_id, version, account, outcome, method, status, address, network, agent, family, origin,
        model, flags)
        SELECT DISTINCT ifnull(key_id, 0), ifnull(version, 0), ifnull(account, 0), outcome, method, status,
        ifnull(address, 0),
        ifnull((SELECT id FROM texts WHERE text = network_of((SELECT text FROM texts WHERE id = address))), 0),
        ifnull(agent, 0),
        ifnull((SELECT id FROM texts WHERE text = family_of((SELECT text FROM texts WHERE id = agent))), 0),
        ifnull(origin, 0), ifnull(model, 0), flags FROM old_events
    """,
    """
    INSERT INTO events
        SELECT o.time, o.seq, s.id, o.path, o.request_id, o.tokens_in, o.tokens_out, o.cost, o.sha256
        FROM old_events AS o JOIN series AS s ON s.key_id = ifnull(o.key_id, 0) AND s.version = ifnull(o.version, 0)
        AND s.account = ifnull(o.account, 0) AND s.outcome = o.outcome AND s.method = o.method
        AND s.status = o.status AND s.address = ifnull(o.address, 0) AND s.agent = ifnull(o.agent, 0)
        AND s.origin = ifnull(o.origin, 0) AND s.model = ifnull(o.model, 0) AND s.flags = o.flags
    """,
    "DROP TABLE old_events",
    """
    INSERT INTO hours
        SELECT time - time % 3600, series, count(*), total(tokens_in), total(tokens_out), total(cost), min(time),
        max(time) FROM events GROUP BY 1, 2
    """,
    """
    INSERT INTO strangers
        SELECT time - time % 3600, address, sha256, count(*), min(time), max(time)
        FROM events JOIN series ON series.id = events.series JOIN texts AS o ON o.id = outcome
        WHERE sha256 NOT NULL AND o.text IN ('malformed', 'refused', 'unknown') GROUP BY 1, 2, 3
    """,
    """
    INSERT INTO last_uses
        SELECT k.text, version, a.text, max(last_at), sum(calls)
        FROM hours JOIN series ON series.id = hours.series JOIN texts AS k ON k.id = key_id
        JOIN texts AS o ON o.id = outcome LEFT JOIN texts AS a ON a.id = account
        WHERE o.text IN ('allowed', 'rate_limited', 'lacks_scope') GROUP BY 1, 2
    """,
    """
    INSERT INTO spent
        SELECT a.text, sum(cost) FROM hours JOIN series ON series.id = hours.series JOIN texts AS a ON a.id = account
        GROUP BY 1
    """,
)


KEY_STORE: Final = Kind(label="key store", application_id=0x726F7574, steps=(_KEYS_1, _KEYS_2))
STATE: Final = Kind(label="state file", application_id=0x726F7573, steps=(_STATE_1,))
USAGE: Final = Kind(
    label="usage log",
    application_id=0x726F7575,
    steps=(_USAGE_1, _USAGE_2),
    functions={"network_of": network_of, "family_of": family_of},
)
