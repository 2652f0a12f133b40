"""Logs into the usage log: read, counted, stored in batches. The same again adds only what is new."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.fields import BadLineError
from routic_cli.importing.logs.lines import LineSplitter, unpacked
from routic_cli.importing.logs.reader import BadLine, LogReader
from routic_cli.importing.logs.sources import GrowingSource, Source
from routic_cli.transport.usage import UsageTransport

_SHOWN: Final = 10
_AT_LEAST_EVERY: Final = 1.0
_BETWEEN_LOOKS: Final = 0.2


class Shown(NamedTuple):
    """A bad line, and the log that it is in."""

    file: str
    line: BadLine


@dataclass(slots=True)
class Tally:
    """What came of the lines so far; blank ones are none. The times are of the first and the last call."""

    files: int = 0
    new: int = 0
    known: int = 0
    bad: int = 0
    first_at: UnixSeconds | None = None
    last_at: UnixSeconds | None = None
    shown: list[Shown] = field(default_factory=list)
    """The first ten of the bad lines."""

    unreadable: list[str] = field(default_factory=list)
    """The logs without a single good line, and with bad ones."""

    @property
    def lines(self) -> int:
        """All of them, the bad ones included."""
        return self.new + self.known + self.bad


class UsageImport:
    """Stores events in batches of at most `batch`, and at least once a second while there are any.

    `bad` is told of each of the first ten bad lines when it is met, `moved` how many bytes were read.
    """

    def __init__(
        self, usage: UsageTransport, *, batch: int, bad: Callable[[Shown], None], moved: Callable[[int], None]
    ) -> None:
        self.tally = Tally()
        self._usage = usage
        self._batch = batch
        self._bad = bad
        self._moved = moved
        self._pending: list[UsageEvent] = []
        self._stored_at = time.monotonic()

    def read(self, source: Source) -> None:
        """All of one log, up to its end."""
        log = self._begin(source.name)
        try:
            for block in unpacked(self._counted(source.blocks())):
                log.take(block)
                self._store_some()
        except BadLineError as error:
            log.tell(f"{error}")
        log.end()
        self.store()

    def follow(self, sources: Sequence[GrowingSource]) -> None:
        """All of several logs, and what is written into them from now on: it ends by an exception only."""
        logs = [(self._begin(source.name), source.blocks()) for source in sources]
        while True:
            is_idle = True
            for place, (log, blocks) in enumerate(logs):
                block = next(blocks)
                if block is None:
                    log.end()
                    logs[place] = self._begin(log.name), blocks
                elif block:
                    log.take(block)
                    self._moved(len(block))
                is_idle = is_idle and block == b""
            self._store_some()
            if is_idle:
                time.sleep(_BETWEEN_LOOKS)

    def store(self) -> None:
        """Store what has been read and is not stored yet."""
        while self._pending:
            self._store(self._pending[: self._batch])

    def _begin(self, name: str) -> _Log:
        self.tally.files += 1
        return _Log(name, self.tally, self._pending, self._bad)

    def _store_some(self) -> None:
        while len(self._pending) >= self._batch:
            self._store(self._pending[: self._batch])
        if self._pending and time.monotonic() - self._stored_at >= _AT_LEAST_EVERY:
            self.store()

    def _store(self, events: list[UsageEvent]) -> None:
        appended = self._usage.append(events)
        del self._pending[: len(events)]
        tally = self.tally
        tally.new += appended.new
        tally.known += appended.known
        first, last = min(event.time for event in events), max(event.time for event in events)
        tally.first_at = first if tally.first_at is None else min(tally.first_at, first)
        tally.last_at = last if tally.last_at is None else max(tally.last_at, last)
        self._stored_at = time.monotonic()

    def _counted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            yield block
            self._moved(len(block))


class _Log:
    """One log that is being read."""

    def __init__(self, name: str, tally: Tally, pending: list[UsageEvent], bad: Callable[[Shown], None]) -> None:
        self.name = name
        self._tally = tally
        self._pending = pending
        self._told = bad
        self._splitter = LineSplitter()
        self._reader = LogReader()
        self._good = self._bad = 0

    def take(self, block: bytes) -> None:
        """Read the lines that end in the block."""
        self._read(self._splitter.feed(block))

    def end(self) -> None:
        """Read what stands behind the last line end; say when none of all could be read."""
        self._read(self._splitter.end())
        if self._bad and not self._good:
            self._tally.unreadable.append(self.name)

    def tell(self, why: str) -> None:
        """Something is wrong with what comes behind the last line."""
        self._note(BadLine(self._reader.lines + 1, why))

    def _read(self, lines: list[bytes | None]) -> None:
        before = len(self._pending)
        self._reader.read(lines, self._pending, self._note)
        self._good += len(self._pending) - before

    def _note(self, line: BadLine) -> None:
        self._bad += 1
        self._tally.bad += 1
        if len(self._tally.shown) < _SHOWN:
            shown = Shown(self.name, line)
            self._tally.shown.append(shown)
            self._told(shown)
