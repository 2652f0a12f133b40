"""Bytes of a report to UTF-8, block by block: packed or not, with a mark of their encoding or without."""

from __future__ import annotations

import codecs
import re
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
_ENOUGH: Final = 6
_WIDEST: Final = 4
# No key is seen through these, and no error is seen either: a few of them show a piece of a key in clear.
_PACKED: Final = (
    (b"PK\x03\x04", "ZIP"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x1f\x8b", "gzip, twice"),
    (b"%PDF-", "PDF"),
)
# What no text has. Terminals' colours and bells, and form feeds, are in logs.
_BINARY: Final = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")

# `3:04PM WRN leaks found: 2`, in colours or not. Failures stay: they make the report none.
_LOG: Final = re.compile(
    rb"(?:\x1b\[[0-9;]*m)*\d{1,2}:\d\d[AP]M(?:\x1b\[[0-9;]*m)* (?:\x1b\[[0-9;]*m)*(?:TRC|DBG|INF|WRN)"
)


def without_log(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """JSON without the lines of a scanner's log in it: no text of JSON goes over a line, so that they are not of it."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from (line + b"\n" for line in lines if not _LOG.match(line))
    if rest and not _LOG.match(rest):
        yield rest


def utf8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks in UTF-8, none of them empty. What is in no encoding with a mark stays as it is.

    ReportError for packed data that are damaged or of another kind than gzip, for what is no text, and for text that
    is not what its mark says.
    """
    rest = _unpacked(blocks)
    head = b""
    while len(head) < _ENOUGH and (block := next(rest, b"")):
        head += block
    packed = next((name for magic, name in _PACKED if head.startswith(magic)), None)
    if packed:
        raise unreadable(f"it is packed ({packed}): unpack it first")
    mark, encoding = next((each for each in _MARKS if head.startswith(each[0])), (b"", _unmarked(head)))
    whole = chain((head[len(mark) :],), rest)
    return filter(None, _texts(_decoded(whole, encoding) if encoding else whole))


def _texts(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if _BINARY.search(block):
            raise unreadable("it is no text: packed, or of a program")
        yield block


def _unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from filter(None, unpacked(blocks))
    except BadLineError as error:
        raise unreadable(str(error)) from None


def _unmarked(head: bytes) -> str:
    """The encoding of a text without a mark, told by where the zeros of its first ASCII character are."""
    if len(head) < _WIDEST:
        return ""
    zeros = "".join("0" if byte == 0 else "x" for byte in head[:_WIDEST])
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
