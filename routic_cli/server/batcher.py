"""A bounded queue between many quick givers and one slow taker that is handed batches, in a thread of its own."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_LONGEST_PAUSE: Final = 5.0
_PAUSE_AT_THE_END: Final = 0.05


class Batcher(Generic[T]):
    """Items in, batches out in the same order, each of them once it could be written.

    A batch whose `write` raises stays and is tried again, at growing intervals, while the queue goes on filling;
    `failed` hears of the first failure of a row of them. ValueError alone means that an item can never be written:
    then the batch is halved until the item is found, which is told and dropped. Nothing runs before `start()`, so that
    one can be made before a fork. Items given before it wait.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], object],
        *,
        capacity: int = 100_000,
        batch: int = 1000,
        interval: float = 0.5,
        name: str = "batcher",
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._write = write
        self._capacity = capacity
        self._batch = batch
        self._interval = interval
        self._failed = failed
        self._items: deque[T] = deque()
        self._refused = 0
        self._refusing = threading.Lock()
        self._unwritable = 0
        self._written = 0
        self._failing = False
        self._closing = threading.Event()
        self._deadline = math.inf
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def dropped(self) -> int:
        """How many items were given and will never be written: the queue was full or closed, or they cannot be."""
        return self._refused + self._unwritable

    @property
    def written(self) -> int:
        """How many items have been written."""
        return self._written

    @property
    def queued(self) -> int:
        """How many items wait, those of a batch in hand among them."""
        return len(self._items)

    @property
    def is_running(self) -> bool:
        """Whether the thread lives, and may be writing."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, item: T) -> bool:
        """Take the item, or count it as dropped. Never waits: no lock but for the count of drops, no waking up."""
        # Several threads at once may go over the capacity by one each: cheaper than a lock, and bounded all the same.
        if len(self._items) < self._capacity:
            self._items.append(item)
            return True
        with self._refusing:
            self._refused += 1
        return False

    def close(self, seconds: float = 10) -> int:
        """Take nothing more, write what is there within so many seconds; how many items were not written.

        A write that hangs is left behind with its batch, which counts as not written though it may yet be.
        """
        self._deadline = time.monotonic() + seconds
        self._capacity = 0
        if not self.is_running and self._thread.ident is None:
            self._thread.start()
        self._closing.set()
        self._thread.join(seconds)
        return self.queued

    def _run(self) -> None:
        pause = self._interval
        while not self._closing.wait(pause):
            pause = self._interval if self._drain() else min(pause * 2, max(_LONGEST_PAUSE, self._interval))
        while not self._drain() and time.monotonic() < self._deadline:
            time.sleep(_PAUSE_AT_THE_END)

    def _drain(self) -> bool:
        """Write until nothing is left, or a write fails or the time is up: False then."""
        size = self._batch
        while self._items:
            if time.monotonic() > self._deadline:
                return False
            # They stay in the queue until they are written. Only this thread removes, so that indexes are sure.
            batch = [self._items[place] for place in range(min(len(self._items), size))]
            try:
                self._write(batch)
            except ValueError as error:
                size = len(batch) // 2 or 1
                if len(batch) == 1:
                    self._give_up(error)
                continue
            except Exception as error:  # noqa: BLE001  # whatever it is, the queue must live on; the callback hears it
                self._tell(error)
                return False
            self._done(len(batch))
            size = self._batch
        return True

    def _done(self, count: int) -> None:
        for _ in range(count):
            self._items.popleft()
        self._written += count
        self._failing = False

    def _give_up(self, error: ValueError) -> None:
        self._items.popleft()
        self._unwritable += 1
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            with suppress(Exception):  # who cannot even be told must not end the thread that keeps the items
                self._failed(error)
