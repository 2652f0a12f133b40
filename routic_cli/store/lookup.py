"""Whose secret has this fingerprint, asked thousands of times a second, and: has anything changed since I last asked?

The second question costs two system calls. SQLite counts each transaction that changed a file in the file's header
("file change counter" in its file format), which other processes may watch: a commit that was acknowledged has been
counted. `PRAGMA data_version` asks the same through a shared lock, takes ten times as long, and cannot be answered
while another process commits.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import UnavailableError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Fingerprint
from routic_cli.store.database import open_database
from routic_cli.store.interface import Holder
from routic_cli.store.migrations import KEY_STORE
from routic_cli.store.sqlite_errors import translated_errors
from routic_cli.store.sqlite_views import SqliteReader

# From the journal mode's bytes (the counter means nothing in WAL mode) over the counter to the schema's cookie.
_STAMP_BEGIN: Final = 18
_STAMP_LENGTH: Final = 30

_ROLLBACK_MODE: Final = b"\x01\x01"

# Closing any descriptor of a file drops all locks that this process has on it (POSIX), also those of a change that
# another thread is just making. So a file's descriptor is opened once in a process, and never closed: one for each
# file that ever stood in the store's place.
_descriptors: dict[tuple[int, int], int] = {}


class KeyLookup:
    """The gate's own connection to one file. It never waits for a lock, so it may be used in an event loop.

    Opening does wait, and may migrate: do that in a thread. FileNotFoundError when there is no file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = str(path)
        before = _identity(self._place)
        self._connection = open_database(path, KEY_STORE, create=False)
        try:
            self._identity, self._descriptor = _described(self._place)
            if before != self._identity:
                raise _changing(path, "Another file has just been put in its place")
            self._connection.execute("PRAGMA busy_timeout=0")
            if self.stamp() is None:
                raise _changing(path, "Another program has just put it into another journal mode")
        except BaseException:
            self._connection.close()
            raise

    def stamp(self) -> bytes | None:
        """A text that differs after every acknowledged change; None when the file has to be opened anew."""
        try:
            if _identity(self._place) != self._identity:
                return None
        except FileNotFoundError:
            return None
        stamp = os.pread(self._descriptor, _STAMP_LENGTH, _STAMP_BEGIN)
        return stamp if stamp.startswith(_ROLLBACK_MODE) else None

    def holder(self, sha256: Fingerprint, now: UnixSeconds) -> tuple[bytes, Holder | None]:
        """Who holds the fingerprint, in any account, and the stamp of the state that this was read from.

        StoreLockedError at once, while another process commits; StoreDamagedError and its kin.
        """
        reader = SqliteReader(self._connection, "", now)  # of no account: the question is asked across all
        with translated_errors(self._path, KEY_STORE.label):
            self._connection.execute("BEGIN")
            try:
                found = reader.key_of_version(sha256)
                # Under the shared lock that the question took: no writer touches the file, so both belong together.
                return os.pread(self._descriptor, _STAMP_LENGTH, _STAMP_BEGIN), found
            finally:
                if self._connection.in_transaction:  # a file that is no database any more ends it by itself
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _identity(place: str) -> tuple[int, int]:
    status = os.lstat(place)
    return status.st_dev, status.st_ino


def _described(place: str) -> tuple[tuple[int, int], int]:
    """Which file is in the place, and this process's one descriptor of it."""
    identity = _identity(place)
    if identity not in _descriptors:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
        status = os.fstat(descriptor)
        identity = status.st_dev, status.st_ino
        _descriptors[identity] = descriptor
    return identity, _descriptors[identity]


def _changing(path: Path, why: str) -> UnavailableError:
    return UnavailableError(f"The {KEY_STORE.label} {path} could not be read", why=why, not_done="It was only read")
