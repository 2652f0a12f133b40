"""A scan for a person: a table, and below it on standard error what to do. Lines with tabs into a pipe."""

from __future__ import annotations

from collections import Counter
from typing import Final

from routic_cli.output.amounts import counted
from routic_cli.output.cells import Cell, Span
from routic_cli.output.console import Console
from routic_cli.output.scan.report import NOT_ASKED, FoundKey, Level, ScanReport
from routic_cli.output.tables import simple_lines, simple_table

_STYLES: Final = {Level.ERROR: "bad", Level.WARNING: "caution", Level.NOTE: "gone"}
_SHORT: Final = 12
_COMMAND: Final = "::"  # begins what GitHub Actions obeys, in whatever a step prints
_ORDER: Final = ("active", NOT_ASKED, "unknown", "expired", "revoked")


def print_report(console: Console, report: ScanReport) -> None:
    """For scripts, stable: file:line, commit, hint, key name, status, with tabs between them."""
    if not console.stdout_is_terminal:
        console.data(simple_lines(map(_line, report.found)))
        return
    history = any(found.sighting.commit or found.sighting.held_by for found in report.found)
    headers = ["Status", "Key", "Hint", *(["Commit", "In"] if history else []), "Where"]
    rows = [_row(found, history=history, unicode=console.look.unicode) for found in report.found]
    console.data(simple_table(headers, rows, console.look))


def tell(console: Console, report: ScanReport) -> None:
    """What it comes to, why some places are worse than others, and the commands that mend it."""
    if not report.found:
        console.success(f"No key in {counted(report.looked_at, report.unit)}")
        return
    for found in report.found:
        if found.is_of_another_account and found.counts:
            console.warn(f"{found.where}: The key {found.sighting.hint} is active in another account of the store")
        if found.sighting.exposure and found.counts:
            console.warn(f"{found.where}: {found.sighting.exposure}")
    counts = Counter({found.sighting.sha256: found.status for found in report.found}.values())
    parts = ", ".join(f"{counts[status]} {_words(status)}" for status in _ORDER if counts[status])
    places = f"{counted(len(report.found), 'place')} of {counted(report.looked_at, report.unit)}"
    text = f"{counted(sum(counts.values()), 'key')} in {places}: {parts}"
    console.problem(text) if any(found.counts for found in report.found) else console.warn(text)
    for remedy in dict.fromkeys(remedy for found in report.found for remedy in report.remedies(found)):
        console.remedy(remedy)


def _line(found: FoundKey) -> list[str]:
    where = found.where
    if where.lstrip().startswith(_COMMAND):
        where = f"./{where}"
    return [where, found.sighting.commit or "", found.sighting.hint, found.key_name or "", found.status]


def _row(found: FoundKey, *, history: bool, unicode: bool) -> list[Cell]:
    hint = found.sighting.hint if unicode else found.sighting.hint.replace("…", "...")
    commit = [(found.sighting.commit or "")[:_SHORT], found.held_by] if history else []
    status = Span(_words(found.status), _STYLES[found.level])
    return [status, Span(found.key_name or "", "strong"), Span(hint, "dim"), *commit, found.where]


def _words(status: str) -> str:
    return status.replace("_", " ")
