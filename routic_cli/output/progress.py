"""A bar on standard error for work that takes longer than a second, and nothing for work that does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from routic_cli.output.cells import columns_of
from routic_cli.output.console import Console
from routic_cli.output.inert import inert
from routic_cli.output.streams import Look, Stream

_PATIENCE: Final = 1.0
_BETWEEN_DRAWINGS: Final = 0.1
_WIDEST_BAR: Final = 40
_NARROWEST_BAR: Final = 10
_ERASE_REST: Final = "\x1b[K"


class Progress:
    """How far the work is. The bar is drawn by `advance` itself: no thread that talk could collide with."""

    def __init__(self, console: Console, label: str, total: int | None, clock: Callable[[], float]) -> None:
        self._console = console
        self._label = inert(label)
        self._total = total
        self._clock = clock
        self._done = 0
        self._next_drawing = clock() + _PATIENCE
        self._bar: _Bar | None = None

    def advance(self, count: int = 1, told: str | None = None) -> None:
        """So much more is done; `told` is what the bar says of it instead of the count."""
        self._done += count
        now = self._clock()
        if now < self._next_drawing or self._console.quiet or not _can_be_redrawn(self._console.talk_stream):
            return
        self._next_drawing = now + _BETWEEN_DRAWINGS
        with suppress(OSError):  # a bar that cannot be drawn is no reason to stop the work
            self._bar = self._bar or _Bar(self._console.talk_stream, self._label, self._total)
            self._bar.draw(self._done, told)

    def hide(self) -> None:
        """Take the bar off the screen; the next `advance` brings it back."""
        bar, self._bar = self._bar, None
        if bar is not None:
            with suppress(OSError):
                bar.remove()


@contextmanager
def progress(
    console: Console, label: str, total: int | None, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Progress]:
    """Work of `total` steps, or of nobody knows how many. The bar goes when the work ends, also by an exception."""
    bar = Progress(console, label, total, clock)
    console.before_printing = bar.hide
    try:
        yield bar
    finally:
        console.before_printing = None
        bar.hide()


class _Bar:
    """One line, drawn over itself. Rich draws the bar; its live display would hide the cursor and print more lines."""

    def __init__(self, stream: Stream, label: str, total: int | None) -> None:
        self._stream = stream
        self._label = label
        self._total = total

    def draw(self, done: int, told: str | None) -> None:
        look = self._stream.look
        count = told or (f"{done:,}" if self._total is None else f"{done:,}/{self._total:,}")
        room = min(look.width - columns_of(self._label) - len(count) - 3, _WIDEST_BAR)
        bar = "" if self._total is None or room < _NARROWEST_BAR else _bar(done, self._total, look._replace(width=room))
        self._stream.write(f"\r{self._label} {bar + ' ' if bar else ''}{count}{_ERASE_REST}")

    def remove(self) -> None:
        self._stream.write(f"\r{_ERASE_REST}")


def _bar(done: int, total: int, look: Look) -> str:
    from io import StringIO

    from rich.console import Console as RichConsole
    from rich.progress_bar import ProgressBar

    # An empty environment: the decision about colour is ours.
    out = StringIO()
    rich = RichConsole(
        file=out,
        force_terminal=True,
        color_system="standard" if look.colour else None,
        legacy_windows=not look.unicode,  # Rich's word for "no characters beyond ASCII"
        width=look.width,
        _environ={},
    )
    rich.print(ProgressBar(total=total, completed=min(done, total), width=look.width), end="")
    return out.getvalue()


def _can_be_redrawn(stream: Stream) -> bool:
    return stream.is_terminal and not stream.is_dumb
