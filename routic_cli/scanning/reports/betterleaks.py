"""betterleaks `-o REPORT.json`: an object with the findings; with `--jsonl`, one finding a line."""

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
    if "schema_version" in record and (isinstance(record.get("findings"), GoneBy) or _is_account(record)):
        state = value_of(record, "scan", "state")
        return [] if state in {None, "complete"} else [Entry(None, why="the scan was not completed")]
    line = record.get("finding")
    if isinstance(line, dict) and "schema_version" in record:
        record = line
    if "rule_id" not in record or not isinstance(record.get("match"), dict):
        return None
    location, attributes = record.get("location"), record.get("attributes")
    where = where_of(value_of(location, "path"), value_of(location, "start_line"), value_of(attributes, "git.sha"))
    full = text_of(record, "match", "full")
    at = moment_of(value_of(attributes, "git.date"))
    return [Entry(text_of(record, "match", "value"), [full] if full else [], where, at)]


def _is_account(record: Record) -> bool:
    return "scan" in record and "findings" not in record and not has_array(record)


def _dated(record: Record) -> UnixSeconds | None:
    return moment_of(value_of(record, "scan", "finished"))


FORMAT: Final = Format("betterleaks", _read, "betterleaks git -o REPORT.json, without --redact", _dated)
