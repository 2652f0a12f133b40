"""One log, read block by block: what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.fields import BadLineError
from routic_cli.importing.logs.lines import LineSplitter, unpacked
from routic_cli.importing.logs.reader import BadLine, LogReader
from routic_cli.importing.logs.sources import Source


class Frame(NamedTuple):
    """The events and the bad lines of a block, and how many bytes were read for it; `is_last` of a log.

    One with nothing in it says that nothing has come for a moment.
    """

    events: list[UsageEvent]
    bad: list[BadLine]
    moved: int = 0
    is_last: bool = False


class LogFrames:
    """Makes frames of the blocks of one log, whose calls are of `latest` at most."""

    def __init__(self, latest: Callable[[], UnixSeconds]) -> None:
        self._splitter = LineSplitter()
        self._reader = LogReader(latest)

    def of(self, block: bytes) -> Frame:
        """The lines that end in the block."""
        return self._read(self._splitter.feed(block))

    def end(self, why: str | None = None) -> Frame:
        """What stands behind the last line end; `why` is what is wrong with what would come then."""
        frame = self._read(self._splitter.end())
        if why is not None:
            frame.bad.append(BadLine(self._reader.lines + 1, why))
        return frame._replace(is_last=True)

    def _read(self, lines: list[bytes | None]) -> Frame:
        frame = Frame([], [])
        self._reader.read(lines, frame.events, frame.bad.append)
        return frame


def frames_of(source: Source, latest: Callable[[], UnixSeconds]) -> Iterator[Frame]:
    """All of a log, up to its end."""
    moved = 0

    def counted(blocks: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal moved
        for block in blocks:
            moved += len(block)
            yield block

    log = LogFrames(latest)
    wrong = None
    try:
        for block in unpacked(counted(source.blocks())):
            frame = log.of(block)
            yield frame._replace(moved=moved)
            moved = 0
    except BadLineError as error:
        wrong = f"{error}"
    yield log.end(wrong)._replace(moved=moved)
