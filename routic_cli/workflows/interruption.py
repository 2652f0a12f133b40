"""Signals during a delivery: at once where that is safe, held back where half a step would be wrong."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from routic_cli.domain.errors import InterruptedByUserError

_SIGNALS: Final = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)


class Interruption:
    """Turns SIGINT, SIGTERM and SIGHUP into InterruptedByUserError, at once where that is allowed, else when asked."""

    def __init__(self) -> None:
        self._held = False
        self._pending: int | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Handle the signals for the length of a block. Only the main thread can; elsewhere nothing changes."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # What is ignored stays ignored: `nohup` means it.
        heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._on_signal) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def hold(self) -> None:
        """From here on a signal waits: half a step would be wrong."""
        self._held = True

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """For the length of a block a signal takes effect at once; so does one that has waited."""
        self._held = False
        try:
            self.raise_pending()
            yield
        finally:
            self._held = True

    def raise_pending(self) -> None:
        """InterruptedByUserError when a signal was held back."""
        if self._pending is not None:
            number, self._pending = self._pending, None
            raise _interrupted(number)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._held:
            self._pending = number
        else:
            raise _interrupted(number)


def _interrupted(number: int) -> InterruptedByUserError:
    return InterruptedByUserError(f"Interrupted by {signal.Signals(number).name}")
