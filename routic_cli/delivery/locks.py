"""One writer at a time in a directory: a lock that every routic process respects, whatever its HOME.

It lies on the directory itself, so that nothing is left behind. Within a process it is re-entrant: several sinks may
write into one directory, and the last to let go releases it.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from routic_cli.domain.errors import DeliveryError, DeliveryTimeoutError

LOCK_TIMEOUT: Final = 30.0
_POLL_SECONDS: Final = 0.02
_BUSY: Final = frozenset({errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK})
# What network file systems answer when asked to lock a directory; NFS wants it open for writing, which no directory is.
_CANNOT: Final = frozenset(
    {errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
)


@dataclass(slots=True)
class _Held:
    fd: int
    count: int


# A forked child has its parent's table but not its locks: hence the process id in the key.
_held: dict[tuple[int, int, int], _Held] = {}


class DirectoryLock:
    """A share in this process's lock on one directory. `release` may be called twice; a `with` block calls it."""

    def __init__(self, key: tuple[int, int, int]) -> None:
        self._key: tuple[int, int, int] | None = key

    def release(self) -> None:
        """Let go; the lock itself ends with the last share."""
        key, self._key = self._key, None
        held = _held.get(key) if key is not None else None
        if key is None or held is None:
            return
        held.count -= 1
        if held.count == 0:
            del _held[key]
            os.close(held.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_directory(
    directory: Path, *, timeout: float = LOCK_TIMEOUT, state_directory: Path | None = None
) -> DirectoryLock:
    """Take the lock, or raise DeliveryTimeoutError after `timeout` seconds.

    On a file system that cannot lock a directory, a file in `state_directory` is locked instead: that one is
    respected by the processes of one user only.
    """
    deadline = time.monotonic() + timeout
    while True:
        status = directory.stat()
        key = (os.getpid(), status.st_dev, status.st_ino)
        if key in _held:
            _held[key].count += 1
            return DirectoryLock(key)
        fd = _locked(directory, key, state_directory)
        if fd is not None:
            # It may have been replaced by another directory of that name while we waited.
            if os.path.samestat(status, directory.stat()):
                _held[key] = _Held(fd, 1)
                return DirectoryLock(key)
            os.close(fd)
        if time.monotonic() >= deadline:
            raise DeliveryTimeoutError(
                f"{directory} stayed locked by another routic for {timeout:g} s",
                why="It is writing there, or was stopped in the middle",
                remedy="routic doctor",
            )
        time.sleep(_POLL_SECONDS)


def _locked(directory: Path, key: tuple[int, int, int], state_directory: Path | None) -> int | None:
    """A descriptor that holds the lock, or None while another process has it."""
    try:
        if os.name == "posix":
            return _try_lock(os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    if state_directory is None:
        raise DeliveryError(f"{directory} is on a file system that cannot lock a directory")
    locks = state_directory / "locks"
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    # Left behind on purpose: removing a lock file lets two processes hold two files of one name.
    return _try_lock(os.open(locks / f"{key[1]:x}-{key[2]:x}", flags, 0o600))


def _try_lock(fd: int) -> int | None:
    try:
        _lock_now(fd)
    except OSError as error:
        os.close(fd)
        if error.errno in _BUSY:
            return None
        raise
    return fd


def _lock_now(fd: int) -> None:
    """Lock without waiting. Imported here: each of the two modules exists on its own platform only."""
    if os.name == "posix":
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # typeshed knows it on Windows only
