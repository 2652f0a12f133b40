"""Reading in a process of its own, beside the one that stores: together they need little more than half the time.

The process inherits the open files, reads them one after the other, and writes frames into a pipe. It has the end of
its parent for its own, and is told of no signal that the parent was told of.
"""

from __future__ import annotations

import marshal
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.frames import Frame, frames_of
from routic_cli.importing.logs.reader import BadLine
from routic_cli.importing.logs.sources import OpenFile, unreadable

WORTH_IT: Final = 8 << 20
"""Bytes. Less is read before the process would have begun."""

_AHEAD: Final = 24
_LENGTH_BYTES: Final = 8
_FAILED: Final = "failed"


def is_worth_it(sources: Sequence[OpenFile]) -> bool:
    """Whether there is much to read, or nobody knows how much, and a second processor that could do it."""
    if os.name != "posix" or not sys.executable or (os.cpu_count() or 1) < 2:  # noqa: PLR2004
        return False
    return any(source.size is None for source in sources) or sum(source.size or 0 for source in sources) >= WORTH_IT


@contextmanager
def frames_beside(sources: Sequence[OpenFile], latest: UnixSeconds) -> Iterator[Iterator[Frame]]:
    """The frames of all the logs, in their order; RouticError from them for a log that cannot be read.

    `latest` is what a call can be of now; the process lets it go on with the time.
    """
    root = str(Path(__file__).parents[3])
    paths = (root, os.environ.get("PYTHONPATH"))
    process = subprocess.Popen(
        # -P: what lies in the working directory is no module of ours.
        [sys.executable, "-P", "-m", __name__, f"{latest}", *(str(source.fd) for source in sources)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[source.fd for source in sources],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    try:
        yield _received(process, [source.name for source in sources])
    finally:
        process.kill()
        process.communicate()


def _received(process: subprocess.Popen[bytes], names: Sequence[str]) -> Iterator[Frame]:
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    place = 0
    while (message := _message(process.stdout)) is not None:
        kind, *rest = message
        if kind == _FAILED:
            (why,) = rest
            raise unreadable(names[place], why)
        events, bad, moved, is_last = rest
        place += is_last
        yield Frame([*map(UsageEvent._make, events)], [BadLine(*each) for each in bad], moved, is_last)
    if process.wait() != 0:
        raise RouticError("The process that reads the logs has ended", why="Something has killed it")


def _message(stream: IO[bytes]) -> tuple[Any, ...] | None:
    length = int.from_bytes(stream.read(_LENGTH_BYTES), "big")
    data = stream.read(length)
    # Our own process wrote it, by the same interpreter; one that was killed leaves a part of a frame.
    return marshal.loads(data) if length and len(data) == length else None  # noqa: S302


def main(arguments: Sequence[str]) -> int:
    """The process itself: the latest time of a call and the descriptors of the logs to frames on standard output."""
    first, *descriptors = map(int, arguments)
    offset = first - time.monotonic()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells both; the parent decides
    out: queue.Queue[bytes] = queue.Queue(_AHEAD)
    # Written by a thread, so that reading goes on while the parent is busy storing.
    writer = threading.Thread(target=_write, args=(out,), daemon=True)
    writer.start()
    try:
        for fd in descriptors:
            source = OpenFile(f"{fd}", fd)
            for frame in frames_of(source, lambda: int(offset + time.monotonic())):
                events = [*map(tuple, frame.events)]
                _send(out, ("", events, [*map(tuple, frame.bad)], frame.moved, frame.is_last))
    except InvalidRequestError as error:
        _send(out, (_FAILED, error.why))
    out.put(b"")
    writer.join()
    return 0


def _send(out: queue.Queue[bytes], message: tuple[Any, ...]) -> None:
    data = marshal.dumps(message)
    out.put(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def _write(out: queue.Queue[bytes]) -> None:
    try:
        while rest := memoryview(out.get()):
            while rest:
                rest = rest[os.write(1, rest) :]
    except OSError:
        os._exit(1)  # nobody reads any more


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
