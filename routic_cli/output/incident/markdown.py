"""The incident note, for an issue or a wiki: GitHub's dialect. Text of reports and of callers stays text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from routic_cli.output.amounts import counted
from routic_cli.output.audit.markdown import block, cell, code, escaped
from routic_cli.output.incident.incident import Action, Caller, Incident, KeyAudit, LeakedKeyReport
from routic_cli.output.incident.wording import (
    calls_in_words,
    done_in_words,
    found_in_words,
    place_in_words,
    since_in_words,
    where_in_words,
)
from routic_cli.output.times import absolute

_CALLERS: Final = 20


def incident_markdown(incident: Incident) -> str:
    """The document."""
    return "\n".join(_lines(incident)) + "\n"


def _lines(incident: Incident) -> Iterator[str]:
    changed = sum(each.changed for each in incident.keys)
    yield "# Leaked keys" if len(incident.keys) != 1 else f"# Leaked key: {code(incident.keys[0].key.name)}"
    yield ""
    if incident.is_dry_run:
        yield "**A dry run: nothing was changed.**"
        yield ""
    yield f"- when: {absolute(incident.at)}"
    yield f"- by: {code(incident.by)}, on {code(incident.store)}"
    if incident.formats:
        yield f"- report: {escaped(', '.join(incident.formats))}, {_rest(incident)}"
    if incident.reason:
        yield f"- reason: {escaped(incident.reason)}"
    yield f"- {counted(len(incident.keys), 'key')} of ours, {changed:,} changed now"
    if len(incident.keys) > 1:
        yield from _overview(incident)
    for report in incident.keys:
        yield from _section(report, incident)


def _rest(incident: Incident) -> str:
    rest = f"{counted(incident.not_ours, 'secret')} in it that {'is' if incident.not_ours == 1 else 'are'} not ours"
    rest += f", {incident.kept_back:,} that the server was not asked about" if incident.kept_back else ""
    rest += f", {incident.of_another_account:,} of another account" if incident.of_another_account else ""
    return rest + (f", {counted(incident.unreadable, 'finding')} not readable" if incident.unreadable else "")


def _overview(incident: Incident) -> Iterator[str]:
    yield ""
    yield "| Key | Version | Hint | Done | Calls since |"
    yield "| --- | --- | --- | --- | ---: |"
    for report in incident.keys:
        audit = report.audit
        cells = (
            code(report.key.name),
            ", ".join(str(each.version.number) for each in report.found),
            ", ".join(code(each.version.hint) for each in report.found),
            f"**{report.action}**" if report.action is Action.FAILED else report.action.value.replace("_", " "),
            f"{audit.calls:,}" if audit is not None and audit.was_made else "not known",
        )
        yield f"| {' | '.join(map(cell, cells))} |"


def _section(report: LeakedKeyReport, incident: Incident) -> Iterator[str]:
    yield ""
    yield f"## {code(report.key.name)}"
    yield ""
    yield f"- key {code(report.key.id)}"
    for found in report.found:
        seen = f": found {found_in_words(found, found.at)}" if found.count else ""
        yield f"- leaked: version {found.version.number}, {code(found.version.hint)}{seen}"
        yield from (f"  - {code(where_in_words(place))}" for place in found.places)
        if found.count > len(found.places) > 0:
            yield f"  - and {found.count - len(found.places):,} more"
    yield f"- done: {escaped(done_in_words(report, is_dry_run=incident.is_dry_run))}"
    if report.trouble:
        yield f"- why: {escaped(report.trouble)}"
    if report.replacement is not None:
        yield f"- replaced by: version {report.replacement.number}, {code(report.replacement.hint)}"
        yield from (f"  - {code(place_in_words(place))}" for place in report.places)
    if report.audit is not None:
        yield from _audit(report.audit)
    if report.to_do:
        yield ""
        yield "### Left to do"
        for to_do in report.to_do:
            yield ""
            yield f"- [ ] {escaped(to_do.text)}"
            if to_do.command:
                yield ""
                yield from (f"  {line}" for line in block(to_do.command))


def _audit(audit: KeyAudit) -> Iterator[str]:
    yield ""
    yield "### Calls since the leak"
    yield ""
    yield f"From {escaped(since_in_words(audit))} on: {escaped(calls_in_words(audit))}."
    if audit.callers:
        yield from _callers(audit.callers)
    for finding in audit.findings:
        yield ""
        yield f"- **{finding.severity}** {finding.rule}, {counted(finding.count, 'call')}: {escaped(finding.evidence)}"


def _callers(callers: Sequence[Caller]) -> Iterator[str]:
    yield ""
    yield "| Address | Calls | Refused | First | Last |"
    yield "| --- | ---: | ---: | --- | --- |"
    for caller in callers[:_CALLERS]:
        first, last = absolute(caller.first_at), absolute(caller.last_at)
        address = code(caller.address) or "none"
        yield f"| {cell(address)} | {caller.calls:,} | {caller.refused:,} | {first} | {last} |"
    if len(callers) > _CALLERS:
        yield ""
        yield f"And {len(callers) - _CALLERS:,} more addresses."
