"""The sink that is standard output: whole, unwrapped, and taken by somebody before the key is registered."""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from routic_cli.delivery.sink import Placement
from routic_cli.domain.errors import DeliveryError, DeliveryTimeoutError
from routic_cli.domain.secret import Fingerprint, Secret

STDOUT: Final = 1
TIMEOUT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.005
_LONGEST_POLL_SECONDS: Final = 0.1
_SAFE_CHUNK: Final = 512  # POSIX: a pipe that polls writable takes this much without blocking


class StdoutSink:
    """Writes `render(secret)` to standard output as raw bytes, after `announce` has said on stderr what is to come.

    `prepare` returns when the text has been taken: a file is synced, a terminal has been written to, and of a pipe the
    reader has read every byte. A reader that goes away or never reads ends the command before anything is registered.
    """

    kind = "stdout"

    def __init__(
        self,
        render: Callable[[Secret], str],
        *,
        announce: Callable[[], None] = lambda: None,
        descriptor: int = STDOUT,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._render = render
        self._announce = announce
        self._descriptor = descriptor
        self._timeout = timeout

    @property
    def notices(self) -> list[str]:
        """Nothing is to be said of standard output."""
        return []

    def preflight(self) -> None:
        """Refuse a standard output that is closed, or not open for writing."""
        require_open_stdout(self._descriptor, not_done="No key was created")
        status = os.fstat(self._descriptor)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == Path(os.devnull).stat().st_rdev:
            raise _undelivered("standard output is the null device, which keeps nothing")

    def record(self) -> Mapping[str, str]:
        """That the secret was printed is all that recovery can know."""
        return {"kind": self.kind}

    def prepare(self, secret: Secret) -> None:
        """Write the text whole, and wait until it has been taken."""
        deadline = time.monotonic() + self._timeout
        self._announce()
        try:
            self._write_all(self._render(secret).encode(), deadline)
            self._await_taken(deadline)
        except OSError as error:
            why = (
                "the reader of standard output has gone" if error.errno == errno.EPIPE else error.strerror or str(error)
            )
            raise _undelivered(why) from error

    def commit(self) -> None:
        """What was printed counts already."""

    def placement(self) -> Placement | None:
        """Nobody can look at what was printed."""
        return None

    def undo(self) -> None:
        """What was printed cannot be taken back; the caller declares it dead."""

    def holds(self, sha256: Fingerprint) -> bool:
        """Nobody can ask standard output what it was given."""
        del sha256
        return False

    def _write_all(self, data: bytes, deadline: float) -> None:
        # Not by O_NONBLOCK: that flag is shared with every process that has this terminal or pipe, and outlives a kill.
        while data:
            self._await_room(deadline)
            written = os.write(self._descriptor, data[:_SAFE_CHUNK])
            data = data[written:]

    def _await_room(self, deadline: float) -> None:
        remaining = max(deadline - time.monotonic(), 0)
        if not select.select([], [self._descriptor], [], remaining)[1]:
            raise DeliveryTimeoutError(
                "The secret was not delivered",
                why=f"Nobody has read standard output for {self._timeout:.0f} s",
                not_done="No key was created",
                remedy="routic keys create … --env-file PATH, to put it into a file",
            )

    def _await_taken(self, deadline: float) -> None:
        mode = os.fstat(self._descriptor).st_mode
        if stat.S_ISREG(mode):
            os.fsync(self._descriptor)
        elif stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self._await_reader(deadline, is_socket=stat.S_ISSOCK(mode))

    def _await_reader(self, deadline: float, *, is_socket: bool) -> None:
        """Wait until everything has been read: what is left when the reader goes away was never anybody's."""
        pause = _POLL_SECONDS
        while True:
            # In this order: a socket whose reader goes away throws away what is left, but has its error before.
            unread = _bytes_unread(self._descriptor, is_socket=is_socket)
            gone = _reader_has_gone(self._descriptor)
            # A pipe keeps what its reader left, who may have read it all since we looked.
            if gone and (is_socket or _bytes_unread(self._descriptor, is_socket=False)):
                raise BrokenPipeError(errno.EPIPE, "reader has gone")
            if not unread or gone:
                return
            if time.monotonic() > deadline:
                raise DeliveryTimeoutError(
                    "The secret was not delivered",
                    why=f"Nobody has read it from standard output within {self._timeout:.0f} s",
                    not_done="No key was created: what is in the pipe is dead",
                    remedy="read the pipe while routic runs, or use --env-file PATH",
                )
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_POLL_SECONDS)


def require_open_stdout(descriptor: int = STDOUT, *, not_done: str = "Nothing was done") -> None:
    """DeliveryError when standard output is closed, or not open for writing."""
    try:
        writable = _is_open_for_writing(descriptor)
    except OSError:
        writable = False
    if not writable:
        raise DeliveryError("Standard output is closed", why="The answer would be lost", not_done=not_done)


def _bytes_unread(descriptor: int, *, is_socket: bool) -> int:
    if sys.platform == "win32":
        return 0
    import fcntl
    import termios

    # Of a pipe either end tells how much is in it; of a socket, only how much it has sent and nobody has read.
    answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ if is_socket else termios.FIONREAD, b"\0\0\0\0")
    return int.from_bytes(answer, sys.byteorder)


def _reader_has_gone(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, 0)  # POLLERR is always reported: the read end is closed
    return any(event & select.POLLERR for _, event in poller.poll(0))


def _is_open_for_writing(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def _undelivered(why: str) -> DeliveryError:
    return DeliveryError(
        "The secret was not delivered",
        why=why[:1].upper() + why[1:],
        not_done="No key was created",
        remedy="routic keys create … --env-file PATH, to put it into a file",
    )
