"""Logs into the usage log: read, counted, stored in batches. The same again adds only what is new."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.frames import Frame, LogFrames
from routic_cli.importing.logs.reader import BadLine
from routic_cli.importing.logs.sources import GrowingSource
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

    def read(self, names: Sequence[str], frames: Iterable[Frame]) -> None:
        """All of some logs, whose frames come one log after the other."""
        rest = iter(names)
        log = None
        for frame in frames:
            log = log or self._begin(next(rest))
            self._take(log, frame)
            self._moved(frame.moved)
            if frame.is_last:
                log = None
        self.store()

    def follow(self, sources: Sequence[GrowingSource], latest: Callable[[], UnixSeconds]) -> None:
        """All of several logs, and what is written into them from now on: it ends by an exception only.

        A call that is of a time behind `latest` is a bad line.
        """
        followed = [(self._begin(source.name), LogFrames(latest), source.blocks()) for source in sources]
        while True:
            is_idle = True
            for place, (log, frames, blocks) in enumerate(followed):
                block = next(blocks)
                if block is None:
                    self._take(log, frames.end())
                    followed[place] = self._begin(log.name), LogFrames(latest), blocks
                else:
                    self._take(log, frames.of(block))
                    self._moved(len(block))
                is_idle = is_idle and block == b""
            if is_idle:
                time.sleep(_BETWEEN_LOOKS)

    def store(self) -> None:
        """Store what has been read and is not stored yet."""
        while self._pending:
            self._store(self._pending[: self._batch])

    def _begin(self, name: str) -> _Log:
        self.tally.files += 1
        return _Log(name)

    def _take(self, log: _Log, frame: Frame) -> None:
        self._pending += frame.events
        log.good += len(frame.events)
        log.bad += len(frame.bad)
        self.tally.bad += len(frame.bad)
        for line in frame.bad[: _SHOWN - len(self.tally.shown)]:
            self.tally.shown.append(shown := Shown(log.name, line))
            self._bad(shown)
        if frame.is_last and log.bad and not log.good:
            self.tally.unreadable.append(log.name)
        self._store_some()

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


@dataclass(slots=True)
class _Log:
    """One log that is being read, and how many of its lines were good and bad."""

    name: str
    good: int = 0
    bad: int = 0
