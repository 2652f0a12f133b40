"""An incident for a person at a terminal or in a build log: a block of lines for each key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routic_cli.output.amounts import counted
from routic_cli.output.incident.incident import FoundVersion, Incident, KeyAudit, LeakedKeyReport
from routic_cli.output.incident.wording import (
    calls_in_words,
    done_in_words,
    found_in_words,
    place_in_words,
    since_in_words,
    versions_in_words,
    where_in_words,
)
from routic_cli.output.inert import inert, without_secrets
from routic_cli.output.times import absolute

_SHOWN: Final = 5
_LABELS: Final = 10


def incident_text(incident: Incident) -> str:
    """The lines; nothing for an incident without keys."""
    blocks = ("\n".join(map(_harmless, _lines(each, incident))) for each in incident.keys)
    return "".join(f"{block}\n" for block in "\n\n".join(blocks).splitlines())


def _lines(report: LeakedKeyReport, incident: Incident) -> Iterator[str]:
    yield f"{report.key.name} ({report.key.id})"
    yield _line("leaked", versions_in_words(report.found))
    for found in report.found:
        yield from _found(found)
    yield _line("done", done_in_words(report, is_dry_run=incident.is_dry_run))
    if report.replacement is not None:
        for place in report.places:
            yield _line("", f"version {report.replacement.number} is in {place_in_words(place)}")
    if report.trouble:
        yield _line("why", report.trouble)
    if report.audit is not None:
        yield from _audit(report.audit)
    for number, to_do in enumerate(report.to_do):
        yield _line("" if number else "to do", to_do.text)
        if to_do.command:
            yield _line("", f"  {to_do.command}")


def _found(found: FoundVersion) -> Iterator[str]:
    if found.count:
        yield _line("found", found_in_words(found, found.at))
    shown = found.places[:_SHOWN]
    for place in shown:
        yield _line("", f"in {where_in_words(place)}")
    if found.count > len(shown) > 0:
        yield _line("", f"and {counted(found.count - len(shown), 'more time')}")


def _audit(audit: KeyAudit) -> Iterator[str]:
    yield _line("since", since_in_words(audit))
    yield _line("usage", calls_in_words(audit))
    for caller in audit.callers[:_SHOWN]:
        refused = f", {caller.refused:,} refused" if caller.refused else ""
        address = caller.address or "no address"
        yield _line("", f"{address}: {counted(caller.calls, 'call')}{refused}, last {absolute(caller.last_at)}")
    if len(audit.callers) > _SHOWN:
        yield _line("", f"and {len(audit.callers) - _SHOWN:,} more")
    for finding in audit.findings:
        yield _line("finding", f"{finding.severity} {finding.rule}: {finding.evidence}")


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABELS}}{text}"


def _harmless(text: str) -> str:
    return inert(without_secrets(text))
