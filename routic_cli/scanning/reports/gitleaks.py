"""gitleaks `-f json`: an array of findings. Version 7 named the fields otherwise."""

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
    where_of,
)

_RULE: Final = "RuleID"
_BESIDE: Final = frozenset({"Secret", "Match", "StartLine", "Fingerprint", "Entropy"})


def _read(_: Place, record: Record) -> Sequence[Entry] | None:
    if _RULE in record and not _BESIDE.isdisjoint(record):
        where = where_of(record.get("File"), record.get("StartLine"), record.get("Commit"))
        around = texts_of(record, "Match", "Line")
        return [Entry(text_of(record, "Secret"), around, where, moment_of(record.get("Date")))]
    if "offender" in record and "rule" in record:
        where = where_of(record.get("file"), record.get("lineNumber"), record.get("commit"))
        return [Entry(text_of(record, "offender"), texts_of(record, "line"), where, moment_of(record.get("date")))]
    return None


FORMAT: Final = Format("gitleaks", _read, in_clear="gitleaks git -f json -r REPORT, without --redact")
