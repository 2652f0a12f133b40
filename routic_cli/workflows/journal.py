"""Open operations on this machine: written down before their first effect, so that a crash can be tidied up."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from routic_cli.domain.errors import UnavailableError
from routic_cli.domain.operations import Operation, PlacedVersion
from routic_cli.private_files import PRIVATE_FILE, make_private_folder
from routic_cli.store.state import StateStore


class Journal:
    """Operations in a StateStore, each with a lock file that lives as long as the process that owns it.

    The kernel lets go of a lock when its process dies, however it dies: an operation whose lock can be taken has no
    owner any more.
    """

    def __init__(self, state: StateStore, lock_folder: Path) -> None:
        self._state = state
        self._lock_folder = lock_folder
        self._locks: dict[str, int] = {}

    def begin(self, operation: Operation) -> None:
        """Write an operation down as ours, before its first effect."""
        make_private_folder(self._lock_folder)
        descriptor = _take_lock(self._lock_path(operation.id))
        if descriptor is None:
            raise AssertionError("an operation's id is random: nobody else has its lock")
        self._locks[operation.id] = descriptor
        self._state.add_operation(operation)

    def end(self, operation: Operation, placements: Sequence[PlacedVersion] = ()) -> None:
        """The operation is finished or undone; what it placed is known from now on."""
        self._state.end_operation(operation.id, placements)
        self._let_go(operation.id)

    @contextmanager
    def abandoned(self, operation: Operation) -> Iterator[bool]:
        """Whether the operation is still written down and its owner is dead; ours alone for the block then."""
        make_private_folder(self._lock_folder)
        descriptor = _take_lock(self._lock_path(operation.id))
        if descriptor is None:
            yield False
            return
        self._locks[operation.id] = descriptor
        try:
            # Its owner may have ended it, and only then let go of the lock.
            yield any(each.id == operation.id for each in self._state.operations(operation.store))
        finally:
            self._let_go(operation.id)

    def open_operations(self, store: str | None = None) -> list[Operation]:
        """The operations written down for a store, or all, ours and others'."""
        return self._state.operations(store)

    def _let_go(self, operation_id: str) -> None:
        descriptor = self._locks.pop(operation_id, None)
        if descriptor is not None:
            with suppress(OSError):  # it is empty, and whoever finds it can take it
                self._lock_path(operation_id).unlink()
            os.close(descriptor)

    def _lock_path(self, operation_id: str) -> Path:
        return self._lock_folder / f"{operation_id}.lock"


def _take_lock(path: Path) -> int | None:
    """A descriptor that holds the lock until it is closed; None when another process holds it."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        raise UnavailableError(
            f"The lock {path} could not be made", why=error.strerror or str(error), not_done="Nothing was done"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
