"""The tables of the report: what was found and how to mend it, and every key with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.domain.audit.findings import Finding, Severity
from routic_cli.domain.keys import KeyStatus
from routic_cli.output.amounts import counted, exact_money, magnitude, money, share
from routic_cli.output.report.contents import KeyUsage, Report
from routic_cli.output.report.dates import minute, stretch
from routic_cli.output.report.markup import Markup, joined, name_of, number, tag, text_of
from routic_cli.output.times import last_use, relative

MOST_ROWS: Final = 500
_ADDRESSES: Final = 5


def severity_mark(severity: Severity, text: str = "") -> Markup:
    """A severity as a word on its colour: nobody has to tell colours apart."""
    return tag("span", text or severity.value, class_=f"severity {severity.value}")


def findings_table(findings: Sequence[Finding]) -> Markup:
    """What, whose, when, and what to type. What is said of many keys in the same words is said once."""
    head = _head(("Severity", ""), ("Rule and key", ""), ("Evidence and remedy", ""))
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        timeless = finding.first_at is None or finding.last_at is None
        alike = (finding.rule, finding.severity, finding.evidence)
        groups.setdefault(alike if timeless else (*alike, str(len(groups))), []).append(finding)
    return _table(head, [_finding_row(group) for group in groups.values()], "findings")


def keys_table(report: Report, rows: Sequence[KeyUsage]) -> Markup:
    """A row for each key, with what it did in the period."""
    head = _head(
        ("Key", ""),
        ("Calls", "amount"),
        ("Errors", "amount"),
        ("Tokens in", "amount"),
        ("Tokens out", "amount"),
        (f"Cost, {report.account.currency}", "amount"),
        ("Last use", ""),
    )
    return _table(head, [_key_row(report, each) for each in rows], "keys")


def _finding_row(group: Sequence[Finding]) -> Markup:
    finding = group[0]
    whose = name_of(finding.key_name or "no key of ours") if len(group) == 1 else text_of(f"{len(group):,} keys")
    details = _details(finding) if len(group) == 1 else [tag("p", finding.evidence), _each(group)]
    return tag(
        "tr",
        tag("td", severity_mark(finding.severity), class_="mark", role="cell"),
        tag("th", finding.rule.value, tag("span", whose, class_="id"), scope="row", role="rowheader"),
        tag("td", *details, class_="evidence", role="cell"),
        role="row",
    )


def _details(finding: Finding) -> list[Markup]:
    details = [tag("p", finding.evidence)]
    if finding.first_at is not None and finding.last_at is not None:
        when = f"{counted(finding.count, 'time')}, {stretch(finding.first_at, finding.last_at)}"
        details.append(tag("p", when, class_="quiet"))
    if finding.addresses:
        shown = ", ".join(finding.addresses[:_ADDRESSES])
        more = len(finding.addresses) - _ADDRESSES
        details.append(tag("p", f"From {shown}{f' and {more} more' if more > 0 else ''}", class_="quiet"))
    if finding.remedy:
        details.append(_command(finding.remedy))
    return details


def _command(remedy: str) -> Markup:
    """What to type, broken between words where a line ends: never behind the hyphens of a flag."""
    words = [tag("span", word) for word in remedy.split(" ")]
    return tag("code", Markup(" ".join(words)), class_="remedy")


def _each(group: Sequence[Finding]) -> Markup:
    items = (tag("li", _command(each.remedy) if each.remedy else name_of(each.key_name or "")) for each in group)
    return tag("ul", *items, class_="each")


def _key_row(report: Report, each: KeyUsage) -> Markup:
    traffic = each.traffic
    calls, errors = (traffic.calls, traffic.errors) if traffic else (0, 0)
    tokens_in, tokens_out, cost = (traffic.tokens_in, traffic.tokens_out, traffic.cost) if traffic else (0, 0, 0)
    shown = f"{errors:,} ({share(errors, calls)})" if errors else "0"
    return tag(
        "tr",
        tag("th", *_identity(each), scope="row", role="rowheader"),
        _amount("Calls", number(calls, f"{calls:,}")),
        _amount("Errors", number(errors, shown)),
        _amount("Tokens in", number(tokens_in, magnitude(tokens_in))),
        _amount("Tokens out", number(tokens_out, magnitude(tokens_out))),
        _amount(f"Cost, {report.account.currency}", number(exact_money(cost), money(cost))),
        tag("td", tag("span", _last_use(report, each)), class_="brief", data_label="Last use", role="cell"),
        role="row",
    )


def _identity(each: KeyUsage) -> list[Markup]:
    if each.id is None:
        return [tag("span", "Without a key of ours", class_="quiet")]
    key = each.key
    status = f" · {key.status}" if key is not None and key.status is not KeyStatus.ACTIVE else ""
    return [name_of(each.name or each.id), tag("span", f"{each.id}{status}", class_="id")]


def _last_use(report: Report, each: KeyUsage) -> Markup:
    at = each.key.last_used_at if each.key is not None else each.traffic.last_at if each.traffic else None
    if at is None:
        said = last_use(each.key, report.made_at) if each.key is not None else "unknown"
        return tag("span", said, class_="quiet")
    return tag("span", relative(at, report.made_at), title=minute(at))


def _amount(label: str, value: Markup) -> Markup:
    return tag("td", value, class_="amount", data_label=label, role="cell")


def _head(*columns: tuple[str, str]) -> Markup:
    cells = (tag("th", name, scope="col", role="columnheader", class_=class_ or None) for name, class_ in columns)
    return tag("thead", tag("tr", *cells, role="row"), role="rowgroup")


def _table(head: Markup, rows: Sequence[Markup], class_: str) -> Markup:
    # The roles stay when the rows of a narrow page are displayed as blocks, and would be no table any more.
    return tag("table", head, tag("tbody", joined(rows), role="rowgroup"), class_=f"stacked {class_}", role="table")
