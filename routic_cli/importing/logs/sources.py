"""Where logs come from: files, patterns of them, standard input; one that is read once, or one that is followed."""

from __future__ import annotations

import glob
import os
import select
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.importing.logs.lines import BLOCK

STDIN: Final = "-"
_STDIN_FD: Final = 0
_TICK: Final = 0.5
_GRACE: Final = 1.0
_NOT_DONE: Final = "Nothing was imported"


class Source(Protocol):
    """One log, as blocks of at most 1 MiB."""

    name: str

    def blocks(self) -> Iterator[bytes]:
        """Up to its end. An empty one says that nothing has come for a moment."""


class GrowingSource(Protocol):
    """A log that has no end."""

    name: str

    def blocks(self) -> Iterator[bytes | None]:
        """The same, at once: who asks has to wait after an empty one. None when another log takes its place."""


def found_paths(arguments: Sequence[str]) -> list[str]:
    """The files that the arguments mean: patterns that no shell has expanded are; a folder is refused.

    InvalidRequestError for what is not there.
    """
    paths: list[str] = []
    for argument in arguments:
        if argument == STDIN or Path(argument).exists():
            paths.append(argument)
        elif found := sorted(glob.glob(argument)):  # noqa: PTH207  # what was typed may begin with / or with ..
            paths += found
        else:
            raise _refused(argument, "There is no such file")
    for path in paths:
        if path != STDIN and Path(path).is_dir():
            raise _refused(path, "It is a folder", remedy=f"routic usage import '{path.rstrip('/')}/*.log'")
    if paths.count(STDIN) > 1:
        raise _refused("Standard input", "It was named twice")
    return paths


@contextmanager
def opened(path: str) -> Iterator[OpenFile]:
    """One file, or standard input for `-`, from its beginning to its end. InvalidRequestError."""
    if path == STDIN:
        if sys.stdin is None:  # and what has its number by now is not ours to read
            raise _refused("Standard input", "It is closed")
        yield OpenFile("standard input", _STDIN_FD)
        return
    fd = _open(path)
    try:
        yield OpenFile(path, fd)
    finally:
        os.close(fd)


@contextmanager
def followed(path: str) -> Iterator[GrowingSource]:
    """One file that grows, from its beginning and without an end; also when another takes its place."""
    source = _Growing(path)
    try:
        yield source
    finally:
        source.close()


class OpenFile:
    """Everything up to the end, or to the one who wrote it."""

    def __init__(self, name: str, fd: int) -> None:
        self.name = name
        self.fd = fd
        try:
            status = os.fstat(fd)
        except OSError as error:
            raise _refused(name, error.strerror or str(error)) from error
        is_file = stat.S_ISREG(status.st_mode)
        self.size = status.st_size if is_file else None
        self._waits = not is_file

    def blocks(self) -> Iterator[bytes]:
        """What there is; of a pipe, what has come so far."""
        while True:
            if self._waits and not select.select([self.fd], [], [], _TICK)[0]:
                yield b""
                continue
            block = _read(self.fd, self.name)
            if not block:
                return
            yield block


class _Growing:
    """A file by its name, as `tail -F` has it: one that was renamed is read to its end, then what is in its place."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._fd = _open(path)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            self.close()
            raise _refused(path, "Only a file can be followed; a pipe is, as long as it is open")
        self._position = 0

    def blocks(self) -> Iterator[bytes | None]:
        """What is there, what comes, and None before what another log begins with."""
        last_growth = time.monotonic()
        while True:
            block = _read(self._fd, self.name)
            if block:
                self._position += len(block)
                last_growth = time.monotonic()
                yield block
            elif os.fstat(self._fd).st_size < self._position:  # cut, as copytruncate does
                self._position = os.lseek(self._fd, 0, os.SEEK_SET)
                yield None
            elif time.monotonic() - last_growth >= _GRACE and self._reopen():  # a server writes on for a moment
                last_growth = time.monotonic()
                yield None
            else:
                yield b""

    def _reopen(self) -> bool:
        """Whether another file has come into the place, which is open then."""
        try:
            fd = os.open(self.name, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False  # it will come, or be readable, in a moment: whoever rotates does so in steps
        if os.path.samestat(os.fstat(fd), os.fstat(self._fd)):
            os.close(fd)
            return False
        os.close(self._fd)
        self._fd, self._position = fd, 0
        return True

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error


def _read(fd: int, name: str) -> bytes:
    try:
        return os.read(fd, BLOCK)
    except OSError as error:
        raise unreadable(name, error.strerror or str(error)) from error


def unreadable(name: str, why: str) -> InvalidRequestError:
    """What is said of a log that stopped being readable."""
    return InvalidRequestError(
        f"{name} could not be read to its end", why=why, not_done="The rest of it was not imported"
    )


def _refused(name: str, why: str, *, remedy: str = "") -> InvalidRequestError:
    return InvalidRequestError(f"{name} cannot be read", why=why, not_done=_NOT_DONE, remedy=remedy)
