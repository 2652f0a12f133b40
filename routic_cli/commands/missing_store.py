"""A store that is not there: it has no keys, and nobody can say by it that a key is not ours."""

from __future__ import annotations

from pathlib import Path

from routic_cli.session import Session
from routic_cli.store_url import LocalStore


def missing_store(session: Session) -> Path | None:
    """Where the store of this session would be, when it is a file that is not there."""
    store = session.config.store_url
    return store.path if isinstance(store, LocalStore) and is_missing(store.path) else None


def is_missing(path: Path) -> bool:
    """Whether there is no file at the path; of one that cannot be looked at, the store itself says what is wrong."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
