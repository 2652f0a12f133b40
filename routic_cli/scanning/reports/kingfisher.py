"""kingfisher `--format json` and `--format jsonl`: findings, and an account of the scan behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.domain.keys import UnixSeconds
from routic_cli.scanning.reports.entry import (
    Entry,
    Format,
    GoneBy,
    Place,
    Record,
    has_array,
    moment_of,
    text_of,
    value_of,
    where_of,
)


def _read(_: Place, record: Record) -> Sequence[Entry] | None:
    finding = record.get("finding")
    if isinstance(finding, dict) and "rule" in record:
        commit = value_of(finding, "git_metadata", "commit")
        path = finding.get("path")
        file = path.removeprefix("./") if isinstance(path, str) else None
        where = where_of(file, finding.get("line"), value_of(commit, "id"))
        return [Entry(text_of(finding, "snippet"), (), where, moment_of(value_of(commit, "date")))]
    schema = text_of(record, "audit", "schema") or ""
    is_account = schema.startswith("kingfisher.") or value_of(record, "metadata", "kingfisher_version") is not None
    has_findings = isinstance(record.get("findings"), GoneBy)
    return [] if is_account and (has_findings or not ("findings" in record or has_array(record))) else None


def _dated(record: Record) -> UnixSeconds | None:
    return moment_of(value_of(record, "metadata", "generated_at") or value_of(record, "audit", "started_at"))


FORMAT: Final = Format("kingfisher", _read, "kingfisher scan . --format json, without --redact", _dated)
