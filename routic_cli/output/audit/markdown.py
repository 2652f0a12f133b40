"""An audit for an issue or a wiki: a summary, a table, and a section for each finding. Callers' text stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from routic_cli.domain.audit.findings import Finding
from routic_cli.output.audit.report import AuditReport
from routic_cli.output.audit.rule_texts import RULE_TEXTS
from routic_cli.output.console import Console
from routic_cli.output.inert import inert, without_secrets
from routic_cli.output.times import absolute, absolute_or_empty

# What is markup anywhere in a line; our own words come first in each, so that nothing of theirs can begin one.
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>&~|#$!^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_BACKTICKS: Final = re.compile("`+")
_ADDRESSES_IN_TABLE: Final = 3
_MENTION: Final = "@<!-- -->"  # GitHub would tell whoever is called so; a comment between is not seen


def print_report(console: Console, report: AuditReport) -> None:
    """GitHub's dialect."""
    console.data(markdown_text(report))


def markdown_text(report: AuditReport) -> str:
    """The document."""
    return "\n".join(_lines(report)) + "\n"


def escaped(text: str) -> str:
    r"""The text as it is read, whatever is in it: no markup, HTML, link or mention; a newline is a visible `\n`."""
    return _MARKUP.sub(r"\\\g<0>", inert(without_secrets(text))).replace("@", _MENTION)


def code(text: str) -> str:
    """The text between backticks, more of them than it has in a row; nothing in it is markup, a link or a mention."""
    text = inert(without_secrets(text))
    if not text.strip():
        return ""
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def cell(text: str) -> str:
    """Of a table, which splits at bars before it looks for code."""
    return text.replace("|", "\\|")


def _lines(report: AuditReport) -> Iterator[str]:
    yield "# Usage audit"
    yield ""
    yield f"{_capital(report.tally)}."
    yield f"Looked at {report.scope}; {absolute(report.now)}."
    if not report.calls:
        yield ""
        yield "**No calls were looked at**: the usage log has none of this time. That is no sign that all is well."
    if report.findings:
        yield from _overview(report.findings)
        for finding in report.findings:
            yield from _section(finding)


def _overview(findings: Sequence[Finding]) -> Iterator[str]:
    yield ""
    yield "| Severity | Rule | Key | Count | Last | Addresses |"
    yield "| --- | --- | --- | ---: | --- | --- |"
    for finding in findings:
        shown = ", ".join(code(address) for address in finding.addresses[:_ADDRESSES_IN_TABLE])
        more = len(finding.addresses) - _ADDRESSES_IN_TABLE
        cells = (
            f"**{finding.severity}**" if finding.severity.rank else finding.severity.value,
            finding.rule.value,
            _key(finding),
            f"{finding.count:,}",
            absolute_or_empty(finding.last_at),
            f"{shown}{f' and {more} more' if more > 0 else ''}",
        )
        yield f"| {' | '.join(map(cell, cells))} |"


def _section(finding: Finding) -> Iterator[str]:
    yield ""
    name = _key(finding)
    yield f"## {_capital(finding.severity.value)}: {finding.rule}{f', {name}' if name else ''}"
    yield ""
    yield f"{RULE_TEXTS[finding.rule].summary}. {escaped(finding.evidence)}"
    details = [
        f"- first {absolute(finding.first_at)}, last {absolute_or_empty(finding.last_at)}" if finding.first_at else "",
        f"- key {code(finding.key_id)}" if finding.key_id else "",
        f"- from {', '.join(map(code, finding.addresses))}" if finding.addresses else "",
    ]
    if any(details):
        yield ""
        yield from filter(None, details)
    if finding.remedy:
        yield ""
        yield from block(finding.remedy)


def _key(finding: Finding) -> str:
    return code(finding.key_name or finding.key_id or "")


def block(text: str) -> Iterator[str]:
    """A block between fences longer than any row of backticks in it."""
    text = inert(without_secrets(text))
    fence = "`" * max([3, *(len(row) + 1 for row in _BACKTICKS.findall(text))])
    yield f"{fence}sh"
    yield text
    yield fence


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
