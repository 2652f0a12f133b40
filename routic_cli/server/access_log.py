"""The access log of a server process: a line of JSON for each request, written off the request path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from routic_cli.output.log_lines import LogLines
from routic_cli.server.batcher import Batcher

_CAPACITY: Final = 20_000  # of a reader that has stopped reading, more would be memory alone


class AccessLog:
    """Lines on standard error. When its reader is too slow, lines are dropped and counted, and no request waits."""

    def __init__(self) -> None:
        self._batcher: Batcher[Mapping[str, object]] = Batcher(
            LogLines().write, capacity=_CAPACITY, name="access log", interval=0.1
        )

    @property
    def dropped(self) -> int:
        """How many lines were not taken."""
        return self._batcher.dropped

    @property
    def written(self) -> int:
        """How many lines have been written."""
        return self._batcher.written

    @property
    def queued(self) -> int:
        """How many lines wait."""
        return self._batcher.queued

    def request(self, fields: Mapping[str, object]) -> None:
        """Take note of a request that was answered; keys in the fields are masked when they are written."""
        self._batcher.put(dict(fields))

    def start(self) -> None:
        """Begin to write."""
        self._batcher.start()

    def close(self, seconds: float = 5) -> int:
        """Write what is there; how many lines could not be."""
        return self._batcher.close(seconds)
