"""An audit for a person: a line for each finding, under it why it was found and the command that comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from routic_cli.domain.audit.findings import Finding, Severity
from routic_cli.output.audit.report import AuditReport
from routic_cli.output.cells import GAP, Cell, Line, Span, as_line, fold, lay_out, line_columns, paint
from routic_cli.output.console import Console
from routic_cli.output.streams import Look
from routic_cli.output.tables import simple_lines
from routic_cli.output.times import absolute_or_empty, relative

_STYLES: Final = {Severity.HIGH: "bad", Severity.MEDIUM: "caution", Severity.LOW: "accent"}
_HEADERS: Final = ("SEVERITY", "RULE", "KEY", "COUNT", "LAST")
_COUNT: Final = _HEADERS.index("COUNT")
_ADDRESSES_SHOWN: Final = 3
_NOBODY: Final = "-"


def print_report(console: Console, report: AuditReport) -> None:
    """Blocks for a person, lines for a pipe; nothing at all for no findings."""
    if console.stdout_is_terminal:
        console.data(findings_table(report.findings, report.now, console.look))
    else:
        console.data(findings_lines(report.findings))


def findings_lines(findings: Sequence[Finding]) -> str:
    """For scripts, stable: severity, rule, key id, key name, count, first, last, addresses, evidence, remedy."""
    return simple_lines(
        (
            finding.severity.value,
            finding.rule.value,
            finding.key_id or "",
            finding.key_name or "",
            str(finding.count),
            absolute_or_empty(finding.first_at),
            absolute_or_empty(finding.last_at),
            " ".join(finding.addresses),
            finding.evidence,
            finding.remedy or "",
        )
        for finding in findings
    )


def findings_table(findings: Sequence[Finding], now: int, look: Look) -> str:
    """The columns align over all findings; where they do not fit, each finding is folded into lines of its own."""
    if not findings:
        return ""
    rows = [[as_line(cell) for cell in _cells(finding, now)] for finding in findings]
    headers: list[Line] = [[Span(header, "dim")] for header in _HEADERS]
    widths = [max(line_columns(row[place]) for row in [headers, *rows]) for place in range(len(headers))]
    for row in [headers, *rows]:
        row[_COUNT] = [Span(" " * (widths[_COUNT] - line_columns(row[_COUNT]))), *row[_COUNT]]
    fits = sum(widths) + GAP * (len(widths) - 1) <= look.width
    lines = lay_out(headers, widths) if fits else []
    pairs = zip(findings, rows, strict=True)
    for number, (_, group) in enumerate(groupby(pairs, lambda pair: _reason(pair[0]))):
        alike = list(group)
        lines += [[]] if number else []
        for _, row in alike:
            lines += lay_out(row, widths) if fits else fold(_joined(row), look.width)
        lines += _below([finding for finding, _ in alike], now, widths[0] + GAP if fits else GAP, look)
    return paint(lines, look)


def _reason(finding: Finding) -> tuple[object, ...]:
    """Findings one after the other that share it are told it once: keys without an end, most of all."""
    return finding.rule, finding.evidence, finding.addresses, finding.first_at, finding.last_at


def _cells(finding: Finding, now: int) -> Iterator[Cell]:
    yield Span(finding.severity.value, _STYLES[finding.severity])
    yield Span(finding.rule.value, "strong")
    yield Span(finding.key_name or finding.key_id or _NOBODY, "" if finding.key_id else "dim")
    yield f"{finding.count:,}" if finding.count else Span(_NOBODY, "dim")
    yield Span(_NOBODY if finding.last_at is None else relative(finding.last_at, now), "dim")


def _joined(row: Sequence[Line]) -> Line:
    """The cells after each other, without what only holds a column's place."""
    line: Line = []
    for cell in row:
        spans = [span for span in cell if span.text.strip() not in {"", _NOBODY}]
        line += [*([Span("  ")] if line and spans else []), *spans]
    return line


def _below(alike: Sequence[Finding], now: int, indent: int, look: Look) -> Iterator[Line]:
    room = max(look.width - indent, 1)
    margin = Span(" " * indent)
    for text, style in _sentences(alike[0], now):
        for part in fold(as_line(Span(text, style)), room):
            yield [margin, *part]
    for finding in alike:
        if finding.remedy:
            # Never folded, so that it can be copied: a terminal breaks the line, and knows that it is one.
            yield [margin, Span("Try: ", "dim"), *as_line(finding.remedy)]


def _sentences(finding: Finding, now: int) -> Iterator[tuple[str, str]]:
    yield finding.evidence, ""
    where = _from(finding.addresses)
    first, last = relative(finding.first_at, now), relative(finding.last_at, now)
    began = "" if finding.first_at is None or first == last else f"first {first}"
    if where or began:
        text = ", ".join(part for part in (where, began) if part)
        yield text[:1].upper() + text[1:], "dim"


def _from(addresses: Sequence[str]) -> str:
    if not addresses:
        return ""
    shown = ", ".join(address or "no address" for address in addresses[:_ADDRESSES_SHOWN])
    more = len(addresses) - _ADDRESSES_SHOWN
    return f"from {shown}{f' and {more} more' if more > 0 else ''}"
