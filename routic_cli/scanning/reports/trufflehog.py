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
    if not _is_log(record):
        return None
    # Its log, which `2>&1` mixes in.
    return [Entry(None, why="trufflehog could not scan everything")] if record["level"] in _FAILED else []


def _is_log(record: Record) -> bool:
    return (text_of(record, "logger") or "").startswith("trufflehog") and "level" in record


def _ended(record: Record, before: bool | None) -> bool | None:
    """What its log says: of a scan that was killed it lacks the last line, and the findings that were to come."""
    if not _is_log(record) or record["level"] in _FAILED:  # a failure counts by itself
        return before
    told = text_of(record, "msg") or ""
    return told == "finished scanning" or (bool(before) and told != "running source")


def _finding(record: Record) -> Entry:
    data = value_of(record, "SourceMetadata", "Data")
    # One source for each finding: Git, Github, Filesystem, S3 …
    source = next(iter(data.values()), None) if isinstance(data, dict) else None
    where = where_of(value_of(source, "file"), value_of(source, "line"), value_of(source, "commit"))
    raw = text_of(record, "Raw") or text_of(record, "RawV2")
    return Entry(raw, texts_of(record, "RawV2"), where, moment_of(value_of(source, "timestamp")))


FORMAT: Final = Format(
    "trufflehog", _read, in_clear="trufflehog git --json URL, whose field Raw has the secret", ended=_ended
)
