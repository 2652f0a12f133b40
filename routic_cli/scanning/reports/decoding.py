"""Bytes of a report to UTF-8, block by block: packed or not, with a mark of their encoding or without."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from routic_cli.importing.logs.fields import BadLineError
from routic_cli.importing.logs.lines import unpacked
from routic_cli.scanning.reports.errors import unreadable

# UTF-32 first: its mark begins as that of UTF-16 does. PowerShell's `>` writes UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENOUGH: Final = 4


def utf8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks in UTF-8, none of them empty. What is in no encoding with a mark stays as it is.

    ReportError for packed data that are damaged, and for text that is not what its mark says.
    """
    rest = _unpacked(blocks)
    head = b""
    while len(head) < _ENOUGH and (block := next(rest, b"")):
        head += block
    mark, encoding = next((each for each in _MARKS if head.startswith(each[0])), (b"", _unmarked(head)))
    whole = chain((head[len(mark) :],), rest)
    return filter(None, _decoded(whole, encoding) if encoding else whole)


def _unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from filter(None, unpacked(blocks))
    except BadLineError as error:
        raise unreadable(str(error)) from None


def _unmarked(head: bytes) -> str:
    """The encoding of a text without a mark, told by where the zeros of its first ASCII character are."""
    if len(head) < _ENOUGH:
        return ""
    zeros = "".join("0" if byte == 0 else "x" for byte in head[:_ENOUGH])
    return {
        "x000": "utf-32-le",
        "000x": "utf-32-be",
        "x0x0": "utf-16-le",
        "0x0x": "utf-16-be",
    }.get(zeros, "")


def _decoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise unreadable(f"it is not the {encoding.upper()} that it begins as") from None
