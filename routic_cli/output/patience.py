"""A word on standard error when one long question takes more than a second; gone when the answer is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from typing import Final

from routic_cli.output.console import Console
from routic_cli.output.inert import inert

_PATIENCE: Final = 1.0
_ERASE_LINE: Final = "\r\x1b[K"


@contextmanager
def patience(console: Console, label: str, *, after: float = _PATIENCE) -> Iterator[None]:
    """While the block runs; on a terminal only.

    A bar wants to be told how far the work is, which nobody knows of one question to a store. So this has a thread,
    whose only words are these; the lock sees to it that none of them comes after they were erased.
    """
    stream = console.talk_stream
    if console.quiet or not stream.is_terminal or stream.is_dumb:
        yield
        return
    lock = Lock()
    said: list[bool] = []
    over: list[bool] = []
    dots = "…" if stream.look.unicode else "..."

    def say() -> None:
        with lock, suppress(OSError):  # what cannot be drawn is no reason to stop the work
            if not over:
                stream.write(f"{inert(label)}{dots}")
                said.append(True)

    timer = Timer(after, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock, suppress(OSError):
            over.append(True)
            if said:
                stream.write(_ERASE_LINE)
