"""Whole numbers of a process that the other workers can read: a file of 64-bit words for each, mapped into memory."""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_WORD: Final = 8
_SUFFIX: Final = ".numbers"
_FRESH_SECONDS: Final = 5
_PULSE: Final = 0
"""The place of the second in which a process last said that it lives."""


class SharedNumbers:
    """So many numbers of this process in `own`, each 0 at first, to be counted up by one thread at a time.

    With a folder, those of all processes that use it can be read: also of one that has died, whose totals still count.
    """

    def __init__(self, count: int, folder: Path | None) -> None:
        self._folder = folder
        self._size = (count + 1) * _WORD
        self._words = memoryview(bytearray(self._size) if folder is None else _mapped(folder, self._size)).cast("Q")
        self.own = self._words[1:]
        self.pulse()

    def pulse(self) -> None:
        """Say that this process lives: what says nothing for a few seconds has no queue any more."""
        self._words[_PULSE] = int(time.time())

    def of_all(self) -> Iterator[tuple[bool, memoryview]]:
        """For each process whether it lives, and its numbers. This one comes first."""
        yield True, self.own
        if self._folder is None:
            return
        oldest = time.time() - _FRESH_SECONDS
        for path in self._folder.glob(f"*{_SUFFIX}"):
            data = path.read_bytes()
            if len(data) == self._size and not path.name.startswith(_own_prefix()):
                words = memoryview(data).cast("Q")
                yield words[_PULSE] >= oldest, words[1:]


def _own_prefix() -> str:
    return f"{os.getpid()}-"


def _mapped(folder: Path, size: int) -> mmap.mmap:
    descriptor, _ = tempfile.mkstemp(_SUFFIX, _own_prefix(), folder)
    try:
        os.truncate(descriptor, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)
