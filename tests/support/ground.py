"""What a store really holds, read without routic."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.support.sandbox import SECRET, Sandbox


@dataclass(frozen=True, slots=True)
class Held:
    """A version of a key that nobody has revoked."""

    name: str
    id: str
    sha256: str


def active_keys(store: Path) -> list[Held]:
    """The keys that a gateway would let in. The tests' keys never expire."""
    import sqlite3

    if not store.exists():
        return []
    # Not read-only: after a kill it is for the next who opens the store to roll the journal back.
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute(
            "SELECT name, id, sha256 FROM keys JOIN versions ON key_seq = seq WHERE revoked_at IS NULL ORDER BY seq"
        ).fetchall()
    return [Held(*row) for row in rows]


def open_operations(state: Path) -> int:
    """How many deliveries the journal takes for unfinished."""
    import sqlite3

    if not state.exists():
        return 0
    with closing(sqlite3.connect(state)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM operations").fetchone()
    return int(count)


def sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def orphans(sandbox: Sandbox, *printed: str) -> list[Held]:
    """Active keys whose secret is neither in a text that was printed nor in a file a user would look at."""
    texts = [*printed, *(path.read_text(errors="replace") for path in sandbox.files() if _is_users(path, sandbox))]
    given = {sha256(secret) for text in texts for secret in SECRET.findall(text)}
    return [key for key in active_keys(sandbox.key_store) if key.sha256 not in given]


def _is_users(path: Path, sandbox: Sandbox) -> bool:
    return path.is_relative_to(sandbox.cwd) and ".git" not in path.relative_to(sandbox.cwd).parts
