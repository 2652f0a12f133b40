"""Baselines of detect-secrets: a SHA-1 for each secret and where it stands, so that the file is read again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from stat import S_ISREG
from typing import Final

from routic_cli.domain.keys import UnixSeconds
from routic_cli.scanning.reports.candidates import keys_of
from routic_cli.scanning.reports.entry import (
    Entry,
    Format,
    GoneBy,
    Place,
    Record,
    line_of,
    moment_of,
    where_of,
)

_FOUND: Final = ("results", None)
_SHA1: Final = re.compile(r"[0-9a-f]{40}")
_LARGEST: Final = 64 << 20
_LONGEST_LINE: Final = 400
_MOST_TRIES: Final = 2_000_000
_WORDS: Final = (
    re.compile(r"""[^\s"'`,;=(){}<>\[\]]+"""),
    re.compile(r"""(["'`])(.+?)\1"""),
    re.compile(r"[=:]\s*(.+)"),
)


@dataclass(slots=True)
class _Tries:
    """How many more pieces of lines are hashed for one report: an old baseline fits nowhere, and would take minutes."""

    left: int = _MOST_TRIES


def format_for(folders: Sequence[Path]) -> Format:
    """The format, for a report whose file names are relative to one of the folders."""

    tries = _Tries()

    def read(place: Place, record: Record) -> Sequence[Entry] | None:
        if len(place) >= len("RFN") and place[-3] == "results" and place[-1] is None and "hashed_secret" in record:
            return [_entry(folders, place[-2] or "", record, tries)]
        beside = {"plugins_used", "generated_at", "version"} & record.keys()
        return [] if beside and record.get("results") is GoneBy.OBJECT else None

    return Format("detect-secrets", read, "routic scan, which needs no baseline", _dated)


def _dated(record: Record) -> UnixSeconds | None:
    return moment_of(record.get("generated_at"))


def _entry(folders: Sequence[Path], name: str, record: Record, tries: _Tries) -> Entry:
    where = where_of(name or record.get("filename"), record.get("line_number"), None)
    wanted, number = record.get("hashed_secret"), line_of(record.get("line_number"))
    if not isinstance(wanted, str) or not _SHA1.fullmatch(wanted):
        return Entry(None, where=where, why="its hash is no SHA-1")
    lines = _lines(tuple(folders), where.file or "")
    if lines is None:
        return Entry(None, where=where, why="the file is not here, or cannot be read")
    line = lines[number - 1] if number and number <= len(lines) else ""
    # What was changed above it has moved it: a hash that fits is proof wherever it stands.
    known = _keys(tuple(folders), where.file or "").get(wanted)
    if known is not None:
        return Entry(known, where=where)
    for candidate in chain(_candidates(line), islice(_pieces(line), tries.left)):
        if _sha1(candidate) == wanted:
            return Entry(candidate, where=where)
    if len(line) <= _LONGEST_LINE:
        tries.left = max(tries.left - len(line) * (len(line) + 1) // 2, 0)
    return Entry(None, where=where, why="the line has changed since" if tries.left else "too much of it has changed")


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=8)
def _lines(folders: tuple[Path, ...], name: str) -> Sequence[str] | None:
    """The lines of the first such file; None where there is none. Nothing but a file is opened: a pipe would wait."""
    for folder in folders:
        for path in {folder / name, folder / name.replace("\\", "/")}:
            try:
                status = path.stat()
                if S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
                    return path.read_text("utf-8", "replace").split("\n")
            except (OSError, ValueError):  # a name with NUL in it is a ValueError
                continue
    return None


@lru_cache(maxsize=8)
def _keys(folders: tuple[Path, ...], name: str) -> Mapping[str, str]:
    """The keys of a file by their SHA-1."""
    return {_sha1(key): key for key in keys_of(["\n".join(_lines(folders, name) or ())])}


def _candidates(line: str) -> Iterator[str]:
    """What a plugin may have taken for a secret: words, and what is quoted."""
    yield from keys_of([line])
    for pattern in _WORDS:
        for match in pattern.finditer(line):
            yield match[match.lastindex or 0].strip()


def _pieces(line: str) -> Iterator[str]:
    """Every piece of a line that is not long."""
    if len(line) <= _LONGEST_LINE:
        for start in range(len(line)):
            for end in range(start + 1, len(line) + 1):
                yield line[start:end]
