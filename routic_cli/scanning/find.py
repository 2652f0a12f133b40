"""Keys in bytes: their shape, and their check characters, which leave no false alarms. Text in UTF-16 counts too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from routic_cli.domain.key_format import LENGTH, hint_of, is_well_formed
from routic_cli.domain.secret import Fingerprint, fingerprint_of

CHUNK: Final = 4 << 20

# A key may have anything on both sides: in binary files strings stand wall to wall, and the check characters decide.
_NARROW: Final = re.compile(rb"sk-[0-9A-Za-z]{45}")
# Without the last NUL this is in little-endian text and in big-endian text alike.
_WIDE: Final = re.compile(rb"s\0k\0-(?:\0[0-9A-Za-z]){45}")
_NARROW_START: Final = b"sk-"
_WIDE_START: Final = b"s\0k\0-"

LONGEST: Final = 95
"""Bytes of a key, at most: 48 characters of two bytes, less one NUL."""

BEFORE: Final = 512
"""Bytes before a key that are looked at, for the name of the variable it is assigned to."""

_ASSIGNED: Final = re.compile(rb"""([A-Za-z_][0-9A-Za-z_]*)["'`\]]{0,2}[ \t]*(?::=|=>|[:=])[ \t]*["'`]?$""")


class Hit(NamedTuple):
    """A key in a file: the line it is on, counted from 1, and what may be known of it."""

    line: int
    sha256: Fingerprint
    hint: str
    variable: str
    """The name that it is assigned to on its line, or nothing."""


class Found(NamedTuple):
    """A key in bytes, as text: it must become a `Hit` before it leaves this room."""

    start: int
    end: int
    text: str

    def __repr__(self) -> str:
        return f"Found({self.start}, {self.end}, {hint_of(self.text)})"


def keys_in(data: bytes) -> Iterator[Found]:
    """Every key in the data, narrow ones before wide ones."""
    yield from _matches(data, _NARROW_START, _NARROW)
    if b"\0" in data:  # a single byte is looked for many times as fast as five
        yield from _matches(data, _WIDE_START, _WIDE)


def _matches(data: bytes, begins: bytes, shape: re.Pattern[bytes]) -> Iterator[Found]:
    at = data.find(begins)
    while at >= 0:
        match = shape.match(data, at)
        if match is not None:
            text = match[0].replace(b"\0", b"").decode("ascii")
            if is_well_formed(text):
                yield Found(match.start(), match.end(), text)
        at = data.find(begins, at + len(begins))


def hits_in(read: Callable[[int], bytes], *, chunk: int = CHUNK) -> Iterator[Hit]:
    """Every key in what `read(size)` gives until it gives nothing; of any length, a chunk at a time."""
    data = b""
    lines = 1  # the number of the line that `data` begins on
    while fresh := read(chunk):
        kept = data[-(BEFORE + LONGEST) :]
        lines += data.count(b"\n", 0, len(data) - len(kept))
        data = kept + fresh
        line, counted = lines, 0
        for found in sorted(keys_in(data)):
            # In UTF-16 the byte of a newline is half of other characters, too.
            wide = found.end - found.start > LENGTH
            line += data.count(b"\n\0" if wide else b"\n", counted, found.start)
            counted = found.start
            if found.end > len(kept):  # else the round before has told it
                yield Hit(line, fingerprint_of(found.text), hint_of(found.text), _assigned_to(data, found.start))


def _assigned_to(data: bytes, start: int) -> str:
    before = data[max(start - BEFORE, 0) : start].replace(b"\0", b"")
    match = _ASSIGNED.search(before[before.rfind(b"\n") + 1 :])
    return match[1].decode("ascii") if match else ""
