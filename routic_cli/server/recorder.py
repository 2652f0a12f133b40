"""The usage recorder of a server process: decisions go to the usage log in batches, off the request path."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import RouticError
from routic_cli.domain.usage import UsageEvent
from routic_cli.output.log_lines import LogLines
from routic_cli.server.batcher import Batcher
from routic_cli.server.writer_process import Row, WriterProcess

_BATCH: Final = 2000


def tell_standard_error(error: Exception) -> None:
    """What the recorder says, once, when the usage log begins to fail; a line beside those of the access log."""
    why = ". ".join(error.sentences()) if isinstance(error, RouticError) else f"{type(error).__name__}: {error}"
    kept = "no: it can never be written" if isinstance(error, ValueError) else "in memory, and tried again"
    LogLines().write([{"event": "usage_not_written", "why": why, "kept": kept}])


class Recorder:
    """Events on their way into the usage log at `path`. When the log cannot take them, the newest are dropped.

    Each gets its identity here, so that a batch that is sent again, because the writer died before it answered, counts
    once.
    """

    def __init__(
        self,
        path: Path,
        *,
        failed: Callable[[Exception], None] = tell_standard_error,
        writer: WriterProcess | None = None,
    ) -> None:
        self._writer = writer or WriterProcess(path)
        self._batcher: Batcher[Row] = Batcher(self._writer.append, batch=_BATCH, name="usage recorder", failed=failed)
        self._put = self._batcher.put
        self._identities = count(int.from_bytes(os.urandom(8)) >> 2)  # of 64 bits with a sign, with room for more

    def record(self, event: UsageEvent) -> bool:
        """Take the event, of plain strings and numbers; False when there is no room, which `dropped` counts."""
        return self._put((*event[:-1], next(self._identities)))

    @property
    def dropped(self) -> int:
        """How many events will never be in the log."""
        return self._batcher.dropped

    @property
    def written(self) -> int:
        """How many events are in the log."""
        return self._batcher.written

    @property
    def queued(self) -> int:
        """How many events wait in memory."""
        return self._batcher.queued

    @property
    def deaths(self) -> int:
        """How many writing processes have ended before they were told to."""
        return self._writer.deaths

    def start(self) -> None:
        """Begin to write."""
        self._batcher.start()

    def close(self, seconds: float = 10) -> int:
        """Write what is there and end the writing process; how many events could not be written."""
        lost = self._batcher.close(seconds)
        if not self._batcher.is_running:  # else it waits for an answer, and the pipe is not ours to close under it
            self._writer.close()
        return lost
