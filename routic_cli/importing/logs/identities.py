"""What tells one line of a log from another, and a line that comes again from two that look the same."""

from __future__ import annotations

import hashlib
from struct import Struct
from typing import Final

_blake2b = hashlib.blake2b
_signed = Struct(">q").unpack
_REMEMBERED: Final = 100_000


class Identities:
    """The identities of the lines of one log, from its first line on.

    A line's identity is the hash of its bytes and of how many like it came before. So a line of another copy of the
    log, renamed, packed or grown, has the same; two calls that were logged alike have two. A log is nearly in the
    order of time, so that only the last lines are remembered, and memory is bounded: two copies in one stream count
    twice when they are short, which nobody can tell from calls alike. A line with the id of its request is never
    alike another one's, and is not counted.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._now: dict[bytes, int] = {}
        self._before: dict[bytes, int] = {}

    def of(self, line: bytes) -> int:
        """A number of 64 bits for the next line of the log, without its line end."""
        digest = _digest(line)
        now = self._now
        if digest not in now and digest not in self._before:
            if len(now) >= self._remembered:
                self._before, self._now = now, {}
                now = self._now
            now[digest] = 0
        else:
            now[digest] = count = now.get(digest, self._before.get(digest, 0)) + 1
            digest = _digest(digest + count.to_bytes(8, "big"))
        return _number(digest)


def identity_of_request(line: bytes) -> int:
    """The same number, of the first line of these bytes, for each of them: they tell of one request."""
    return _number(_digest(line))


def _digest(data: bytes) -> bytes:
    return _blake2b(data, digest_size=8).digest()


def _number(digest: bytes) -> int:
    return int(_signed(digest)[0])
