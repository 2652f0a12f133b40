"""trufflehog `--json`: one finding a line, among lines of its log. Version 2 wrote `stringsFound`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.scanning.reports.entry import (
    Entry,
    Format,
    Place,
    Record,
    moment_of,
    text_of,
    texts_of,
    value_of,
    where_of,
)

_FAILED: Final = ("error", "fatal", "panic")
_BESIDE: Final = frozenset({"DetectorName", "DetectorType", "Raw", "RawV2"})


def _read(_: Place, record: Record) -> Sequence[Entry] | None:
    if not _BESIDE.isdisjoint(record) and ("SourceMetadata" in record or "Raw" in record):
        return [_finding(record)]
    if isinstance(record.get("stringsFound"), list):
        where = where_of(record.get("path"), None, record.get("commitHash"))
        at = moment_of(record.get("date"))
        return [Entry(each if isinstance(each, str) else None, (), where, at) for each in record["stringsFound"]]
    if not (text_of(record, "logger") or "").startswith("trufflehog") or "level" not in record:
        return None
    # Its log, which `2>&1` mixes in.
    return [Entry(None, why="trufflehog could not scan everything")] if record["level"] in _FAILED else []


def _finding(record: Record) -> Entry:
    data = value_of(record, "SourceMetadata", "Data")
    # One source for each finding: Git, Github, Filesystem, S3 …
    source = next(iter(data.values()), None) if isinstance(data, dict) else None
    where = where_of(value_of(source, "file"), value_of(source, "line"), value_of(source, "commit"))
    raw = text_of(record, "Raw") or text_of(record, "RawV2")
    return Entry(raw, texts_of(record, "RawV2"), where, moment_of(value_of(source, "timestamp")))


FORMAT: Final = Format("trufflehog", _read, in_clear="trufflehog git --json URL, whose field Raw has the secret")
