"""Bytes to lines: packed or not, from a file or a pipe, and never more than a few blocks of them in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from routic_cli.importing.logs.fields import BadLineError

BLOCK: Final = 1 << 20
LONGEST: Final = BLOCK
_GZIP: Final = b"\x1f\x8b"
_WITH_HEADER: Final = 31


class LineSplitter:
    """Cuts blocks into lines without their line ends. A line of more than 1 MiB becomes None."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_skipping = False

    def feed(self, block: bytes) -> list[bytes | None]:
        """The lines that end in the block, which is of at most 1 MiB."""
        first, *others = block.split(b"\n")
        if not others:
            self._keep(first)
            return []
        self._keep(first)
        lines: list[bytes | None] = [None if self._is_skipping else self._rest]
        lines += others[:-1]
        self._rest, self._is_skipping = others[-1], False
        return lines

    def end(self) -> list[bytes | None]:
        """What stands behind the last line end."""
        lines: list[bytes | None] = [None] if self._is_skipping else [self._rest] if self._rest else []
        self._rest, self._is_skipping = b"", False
        return lines

    def _keep(self, part: bytes) -> None:
        if self._is_skipping:
            return
        self._rest += part
        if len(self._rest) > LONGEST:
            self._rest, self._is_skipping = b"", True


def unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same blocks, unpacked where they begin as gzip does. Empty ones, which say that nothing has come, stay.

    BadLineError, behind what could be unpacked, for packed bytes that are damaged or end too early.
    """
    rest = iter(blocks)
    head = b""
    for block in rest:
        head += block
        if len(head) >= len(_GZIP) or (block and not head.startswith(_GZIP[:1])):
            break
        if not block:
            yield b""
    if not head.startswith(_GZIP):
        if head:
            yield head
        yield from rest
        return
    yield from _gunzipped(head, rest)


def _gunzipped(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """Of one member after another; memory is bounded also for a block that unpacks to gigabytes."""
    member = zlib.decompressobj(_WITH_HEADER)
    has_begun = False
    for packed in _chained(head, rest):
        if not packed:
            yield b""
        data = packed
        while data:
            if member.eof:
                data = data.lstrip(b"\0")  # tapes and block devices pad
                if not data:
                    break
                member = zlib.decompressobj(_WITH_HEADER)
            try:
                yield from filter(None, [member.decompress(data, BLOCK)])
            except zlib.error:
                raise BadLineError("its gzip data are damaged from here on") from None
            has_begun = True
            data = member.unused_data if member.eof else member.unconsumed_tail
    if has_begun and not member.eof:
        raise BadLineError("its gzip data end here, in the middle")


def _chained(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
