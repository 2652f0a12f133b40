"""A scan as a list object."""

from __future__ import annotations

from typing import Any, Final

from routic_cli.output.console import Console
from routic_cli.output.json_out import print_json
from routic_cli.output.scan.report import FoundKey, ScanReport
from routic_cli.transport.wire import list_object

FIELDS: Final = ("file", "line", "commit", "key_id", "key_name", "status", "hint")


def print_report(console: Console, report: ScanReport) -> None:
    """Each key in each place with its fields, or with those asked for."""
    print_json(console, list_object(map(_object, report.found)), report.fields, known=FIELDS)


def _object(found: FoundKey) -> dict[str, Any]:
    """`file` is null for what is in no file: a commit's message, an object that nothing reaches."""
    return {
        "file": found.file,
        "line": found.sighting.line,
        "commit": found.sighting.commit,
        "key_id": found.key_id,
        "key_name": found.key_name,
        "status": found.status,
        "hint": found.sighting.hint,
    }
