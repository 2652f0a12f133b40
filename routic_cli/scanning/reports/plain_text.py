"""Any text: the keys in it that are of our form, whatever stands around them, and what was a key before it was cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routic_cli.domain.key_format import is_well_formed
from routic_cli.scanning.find import keys_in
from routic_cli.scanning.reports.entry import Entry, Where
from routic_cli.scanning.reports.walk import BLOCK, Readable

NAME: Final = "plain text"
_LONGEST: Final = 1 << 20
_OVERLAP: Final = 256
_WORD: Final = re.compile(rb"(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{16,}")
_MASKED: Final = re.compile(rb"\bREDACTED\b")
_CUT: Final = re.compile(r"(?<![0-9A-Za-z])sk-[0-9A-Za-z]{4,44}(?:\.\.\.|…|\*{3}|•{3})")


def entries(source: Readable) -> Iterator[Entry]:
    """Every key, and every other word that begins as one does, with its line."""
    for number, line in _lines(source):
        where = Where(line=number)
        if _MASKED.search(line):
            yield Entry("REDACTED", where=where)
        if b"sk-" not in line:
            continue
        keys = [found.text for found in keys_in(line)]
        yield from (Entry(text, where=where) for text in dict.fromkeys(keys))
        # Each word is searched by itself: to look for every key in every word takes their number squared.
        for word in dict.fromkeys(match[0] for match in _WORD.finditer(line)):
            if next(keys_in(word), None) is None:
                yield Entry(word.decode(), where=where)
        cut = {match[0] for match in _CUT.finditer(line.decode("utf-8", "replace"))}
        yield from (Entry(each, where=where) for each in cut if not is_well_formed(each[:48]))


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
