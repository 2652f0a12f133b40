"""The usage recorder of a server process: decisions go to the usage log in batches, off the request path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from routic_cli.domain.errors import RouticError
from routic_cli.domain.usage import UsageEvent
from routic_cli.output.log_lines import LogLines
from routic_cli.server.batcher import Batcher
from routic_cli.store.usage import UsageStore


def tell_standard_error(error: Exception) -> None:
    """What the recorder says, once, when the usage log begins to fail; a line beside those of the access log."""
    why = ". ".join(error.sentences()) if isinstance(error, RouticError) else f"{type(error).__name__}: {error}"
    kept = "no: it can never be written" if isinstance(error, ValueError) else "in memory, and tried again"
    LogLines().write([{"event": "usage_not_written", "why": why, "kept": kept}])


class Recorder:
    """Events on their way into the usage log at `path`. When the log cannot take them, the newest are dropped."""

    def __init__(self, path: Path, *, failed: Callable[[Exception], None] = tell_standard_error) -> None:
        self._store = UsageStore(path)
        self._batcher: Batcher[UsageEvent] = Batcher(self._store.append, name="usage recorder", failed=failed)

    def record(self, event: UsageEvent) -> bool:
        """Take the event; False when there is no room, which `dropped` counts."""
        return self._batcher.put(event)

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

    def start(self) -> None:
        """Begin to write."""
        self._batcher.start()

    def close(self, seconds: float = 10) -> int:
        """Write what is there and close the file; how many events could not be written."""
        lost = self._batcher.close(seconds)
        if not self._batcher.is_running:  # else it hangs in a write, and the file is not ours to close under it
            self._store.close()
        return lost
