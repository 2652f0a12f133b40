"""Any text: the keys in it that are of our form, whatever stands around them, and what was a key before it was cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routic_cli.domain.key_format import is_well_formed
from routic_cli.scanning.find import keys_in
from routic_cli.scanning.reports.candidates import stumps_of
from routic_cli.scanning.reports.entry import Entry, Where
from routic_cli.scanning.reports.walk import BLOCK, Readable

NAME: Final = "plain text"
_LONGEST: Final = 1 << 20
_OVERLAP: Final = 256
_LONGEST_BODY: Final = 45
_SHORTEST_END: Final = 8
_WORD: Final = re.compile(rb"(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{16,}")
_MASKED: Final = re.compile(rb"\bREDACTED\b|[\[<(](?i:redacted|hidden|filtered|masked|removed)[^\]>)\n]{0,80}[\]>)]")
_CUT: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:sk-[0-9A-Za-z]{4,44}(?:\.\.\.|…)|sk-[0-9A-Za-z]{0,44}(?:\*{2,}|•{2,}|[xX]{5,}))"
)
_PREFIX: Final = b"sk-"
# What a chat or an editor makes of the hyphen, in UTF-8.
_HYPHEN: Final = re.compile(rb"(?<=sk)(?:\xe2\x80[\x90-\x95]|\xe2\x88\x92|%2[Dd]|=2D)")
_BROKEN: Final = re.compile(rb"(?<![0-9A-Za-z])sk-[0-9A-Za-z]{0,44}=?\\?\s*$")
_WRAPPED: Final = re.compile(rb"[\s>]*([0-9A-Za-z]+)")


def entries(source: Readable) -> Iterator[Entry]:
    """Every key, and every other word that begins as one does, with its line."""
    before = b""
    for number, text in _lines(source):
        line = _HYPHEN.sub(b"-", text) if b"sk" in text else text
        where = Where(line=number)
        yield from _wrapped(before, line, where)
        before = line[-_OVERLAP:]
        if _MASKED.search(line):
            yield Entry("REDACTED", where=where)
        if _PREFIX not in line:
            continue
        keys = [found.text for found in keys_in(line)]
        yield from (Entry(text, where=where) for text in dict.fromkeys(keys))
        # Each word is searched by itself: to look for every key in every word takes their number squared.
        for word in dict.fromkeys(match[0] for match in _WORD.finditer(line)):
            if next(keys_in(word), None) is None:
                yield Entry(word.decode(), where=where)
        cut = {match[0] for match in _CUT.finditer(line.decode("utf-8", "replace"))}
        yield from (Entry(each, where=where) for each in cut if not is_well_formed(each[:48]))


def _wrapped(before: bytes, line: bytes, where: Where) -> Iterator[Entry]:
    """A key that begins at the end of one line and goes on in the next, or what is left of it."""
    broken = _BROKEN.search(before) if _PREFIX in before else None
    more = _WRAPPED.match(line) if broken else None
    if broken is None or more is None:
        return
    start = broken[0].rstrip(b"=\\ \t\r\n")
    key = next(keys_in(start + more[1]), None)
    # Behind a bare `sk-` there may be prose.
    if key is not None:
        yield Entry(key.text, where=where)
    elif any(stumps_of([(start + more[1][:_LONGEST_BODY]).decode("ascii")])) and len(more[1]) >= _SHORTEST_END:
        yield Entry("REDACTED", where=where, why="a key is broken over lines")


def _lines(source: Readable) -> Iterator[tuple[int, bytes]]:
    """Each line with its number. One that does not end comes in pieces, which overlap by more than a key's length."""
    number, rest = 1, b""
    while block := source.read(BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield number, line
            number += 1
        if len(rest) > _LONGEST:
            yield number, rest
            rest = rest[-_OVERLAP:]
    if rest:
        yield number, rest
