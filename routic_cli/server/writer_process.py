"""The process that writes the usage log, from its parent's side: a batch goes out, and an answer comes back.

A process, not a thread: writing takes the interpreter for longer than deciding does, and would slow each request.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from routic_cli.domain.errors import RouticError, UnavailableError
from routic_cli.transport.wire.errors import error_from

Row = tuple[object, ...]
"""A UsageEvent as a plain tuple, which marshal takes, and which the garbage collector need not look at twice."""

_LENGTH: Final = 8
_MODULE: Final = "routic_cli.server.usage_writer"
_PATIENCE: Final = 5.0


class WriterProcess:
    """A child that appends batches to the log at `path`. It begins with the first batch, or with `start`.

    One that has died is noticed with the next batch, which raises; the one after it has a new child. A child lives
    for as long as its pipe: whatever becomes of the parent, it writes what it was given, and ends. For one thread.
    """

    def __init__(self, path: Path, module: str = _MODULE) -> None:
        # -P: no module of the working directory is taken for one of ours.
        self._command = [sys.executable, "-P", "-m", module, str(path)]
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths = 0

    @property
    def deaths(self) -> int:
        """How many children have ended before they were told to."""
        return self._deaths

    @property
    def pid(self) -> int | None:
        """The child's number, where there is one."""
        return self._process.pid if self._process is not None else None

    def append(self, rows: Sequence[Row]) -> None:
        """All of them are in the log, or none, or (UnavailableError: the child died) nobody knows.

        ValueError when one of them can never be written; RouticError as the child met it.
        """
        process = self._process or self.start()
        try:
            send(_pipe(process.stdin), rows)
            answer = receive(_pipe(process.stdout))
        except (OSError, EOFError):
            self._bury(process)
        if answer is not None:
            raise _error_of(answer)

    def start(self) -> subprocess.Popen[bytes]:
        """Make the child."""
        # A group of its own: Ctrl-C at a terminal is for the server, which has still something to write then.
        group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
        try:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **group)
        except OSError as error:
            raise UnavailableError(
                "The process that writes the usage log could not be started", why=error.strerror or str(error)
            ) from error
        return self._process

    def close(self) -> None:
        """Tell the child to end, and wait for it; everything that it was given has been answered."""
        if self._process is None:
            return
        process, self._process = self._process, None
        _let_go(process)

    def _bury(self, process: subprocess.Popen[bytes]) -> NoReturn:
        self._process = None
        self._deaths += 1
        code = _let_go(process)
        raise UnavailableError("The process that writes the usage log has ended", why=f"It ended with {code}")


def send(pipe: IO[bytes], item: Any) -> None:
    """One item of plain values into the pipe; ValueError, with nothing sent, for others."""
    data = marshal.dumps(item)
    pipe.write(len(data).to_bytes(_LENGTH))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next item. EOFError where the pipe ends, also in the middle of one."""
    length = int.from_bytes(_exactly(pipe, _LENGTH))
    return marshal.loads(_exactly(pipe, length))  # noqa: S302  # from our own child or parent, by a pipe of our own


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("Popen was told to make it")
    return stream


def _let_go(process: subprocess.Popen[bytes]) -> int:
    """Close the pipes, wait for the end, and how it was."""
    for pipe in (process.stdin, process.stdout):
        try:
            _pipe(pipe).close()
        except OSError:  # what was still to be sent cannot be: it counts as not written already
            continue
    try:
        return process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _error_of(answer: Any) -> Exception:
    if isinstance(answer, str):
        return ValueError(answer)
    return error_from(answer, 500) or RouticError("The usage log could not be written")
