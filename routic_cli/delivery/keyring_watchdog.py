"""Calls that may never return: each runs in a thread of its own, and is given up after a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

# After this long the caller is told that a call still waits, if it may wait any longer.
QUIET_SECONDS: Final = 3.0


class CallFailedError(Exception):
    """The call raised `error`. It is not chained to this: what it says, or its frames hold, may be a secret."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class Watchdog:
    """Runs one call at a time. A call that was given up and ends later than that has ended before the next begins.

    `waiting` is called once for each call that takes longer than three seconds and may take more.
    """

    def __init__(self, timeout: float, *, waiting: Callable[[], None] = lambda: None) -> None:
        self.timeout = timeout
        self._waiting = waiting
        # Not `Thread.join`: interrupted by a signal, Python 3.11 takes a thread that runs for one that has ended.
        self._idle = threading.Event()
        self._idle.set()

    def run(self, call: Callable[[], T]) -> T:
        """What the call returns; CallFailedError when it raises, TimeoutError when it does not end in time."""
        self._await_idle()
        results: list[T] = []
        failures: list[BaseException] = []

        def attempt() -> None:
            try:
                results.append(call())
            except BaseException as error:  # noqa: BLE001  # lost in a thread; `cryptography` panics derive from it
                failures.append(error)
            finally:
                self._idle.set()

        self._idle.clear()
        # A daemon: the process ends without waiting for it.
        threading.Thread(target=attempt, name="routic-keyring", daemon=True).start()
        self._await_idle()
        if failures:
            raise CallFailedError(failures[0])
        return results[0]

    def _await_idle(self) -> None:
        quiet = min(QUIET_SECONDS, self.timeout)
        if self._idle.wait(quiet):
            return
        if self.timeout > quiet:
            self._waiting()
            if self._idle.wait(self.timeout - quiet):
                return
        raise TimeoutError
