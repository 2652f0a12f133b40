"""A scan as workflow commands of GitHub Actions, which it shows as annotations beside the lines."""

from __future__ import annotations

from typing import Final

from routic_cli.output.console import Console
from routic_cli.output.inert import is_inert
from routic_cli.output.scan.report import FoundKey, Level, ScanReport

_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def print_report(console: Console, report: ScanReport) -> None:
    """One command for each key in each place."""
    console.data("".join(f"{_annotation(report, found)}\n" for found in report.found))


def _annotation(report: ScanReport, found: FoundKey) -> str:
    place = {"file": found.file, "line": found.sighting.line, "title": f"Routic key: {found.status.replace('_', ' ')}"}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in place.items() if value is not None)
    remedies = "".join(f"\n{remedy}" for remedy in report.remedies(found))
    where = "" if found.file is not None else f"{found.where}: "
    return f"::{_COMMANDS[found.level]} {properties}::{_data(f'{where}{report.sentence(found)}{remedies}')}"


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    # A line break of Unicode's, or an escape sequence, is for the reader of the log, who must not obey it.
    return "".join(c if is_inert(c) else c.encode("unicode_escape").decode("ascii") for c in escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
