"""The parts of the page from its top to its bottom."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.audit.findings import Severity
from routic_cli.domain.usage import BILLIONTHS
from routic_cli.output.amounts import counted, exact_money, magnitude, money, share
from routic_cli.output.report.bars import stacked_bars
from routic_cli.output.report.contents import Report
from routic_cli.output.report.dates import DAY, day, length_of, minute, stretch
from routic_cli.output.report.markup import Markup, joined, name_of, number, tag
from routic_cli.output.report.spans import findings_on_time_line, keys_by_age
from routic_cli.output.report.tables import MOST_ROWS, findings_table, keys_table, severity_mark

_NO_CALLS: Final = "No calls were looked at: this says nothing about who uses the keys."
_MILLION: Final = 1_000_000
_MOST_LINES: Final = 25
"""Of a time line: more of them are no picture any more."""


def heading(report: Report) -> Markup:
    """What this is, of when and of which store."""
    return tag(
        "header",
        tag("h1", "Usage of API keys"),
        tag("p", stretch(report.since, report.until), class_="period"),
        tag(
            "p",
            "Account ",
            name_of(report.account.name),
            f" · {length_of(report.since, report.until)} · made {minute(report.made_at)} · store ",
            name_of(report.store),
            class_="facts",
        ),
    )


def tiles(report: Report) -> Markup:
    """The figures of the whole period."""
    calls, errors, cost = report.total("calls"), report.total("errors"), report.total("cost")
    tokens_in, tokens_out = report.total("tokens_in"), report.total("tokens_out")
    active = report.active_keys
    used = sum(each.traffic is not None for each in report.keys if each.key is not None and each.key in active)
    found = [severity_mark(each, f"{count} {each}") for each, count in report.severities().items() if count]
    return tag(
        "dl",
        _tile("Calls", number(calls, _short(calls), title=f"{calls:,}"), f"{counted(used, 'key')} in use"),
        _tile("Errors", number(errors, _short(errors), title=f"{errors:,}"), f"{share(errors, calls)} of calls"),
        _tile(
            "Tokens",
            number(tokens_in + tokens_out, magnitude(tokens_in + tokens_out)),
            f"{magnitude(tokens_in)} in · {magnitude(tokens_out)} out",
        ),
        _tile("Cost", number(exact_money(cost), _short_money(cost), title=money(cost)), _currency(report)),
        _tile("Active keys", number(len(active), f"{len(active):,}"), f"{len(active) - used:,} without a call"),
        _tile(
            "Findings",
            joined(found) or number(0, "0"),
            "" if found else "none" if report.calls else "no calls to look at",
        ),
        class_="tiles",
    )


def calls_section(report: Report) -> Markup:
    """Calls per key over time."""
    if not report.calls:
        return _section("Calls per key", tag("p", "The log has no calls of this time.", class_="empty"))
    chart = stacked_bars(report.calls, report.steps, "s", "call", "Calls of each key over time")
    return _section("Calls per key", _per_step(report), chart)


def errors_section(report: Report) -> Markup:
    """Errors by their kind over time."""
    if not report.errors:
        said = "No call ended in an error." if report.calls else "The log has no calls of this time."
        return _section("Errors by kind", tag("p", said, class_="empty"))
    chart = stacked_bars(report.errors, report.steps, "e", "error", "Errors of each kind over time")
    return _section("Errors by kind", _per_step(report), chart)


def findings_section(report: Report) -> Markup:
    """What the audit found: when, and each with its evidence and its remedy."""
    if not report.findings:
        said = "The audit of this time found nothing that should not be there." if report.calls else _NO_CALLS
        return _section("Findings", tag("p", said, class_="empty"))
    timed = [each for each in report.findings if each.first_at is not None and each.last_at is not None]
    parts: list[Markup] = []
    if timed:
        ends = [report.steps.begin, *(each.first_at for each in timed if each.first_at is not None)]
        parts.append(_severity_legend())
        begin = max(min(ends), report.since - (report.until - report.since))
        parts.append(findings_on_time_line(timed[:_MOST_LINES], begin, report.steps.end))
        if len(timed) > _MOST_LINES:
            parts.append(_note(f"The {_MOST_LINES} most severe of {len(timed)}; the table has all of them."))
    shown = report.findings[:MOST_ROWS]
    parts.append(findings_table(shown))
    if len(shown) < len(report.findings):
        parts.append(_note(f"{len(report.findings) - len(shown):,} more: routic usage audit has all of them."))
    return _section("Findings", *parts, long=True)


def ages_section(report: Report) -> Markup:
    """How old the keys are, and when they were used last."""
    keys = report.active_keys
    if not keys:
        return _section("Keys by age and last use", tag("p", "There is no active key.", class_="empty"))
    legend = tag(
        "ul",
        *(
            tag("li", tag("span", class_=f"swatch {class_}"), text)
            for class_, text in (
                ("life", "since the key was created"),
                ("secret", "with its current secret"),
                ("used", "last use"),
                ("unused", "no use known"),
            )
        ),
        class_="legend",
    )
    parts = [legend, keys_by_age(keys[:_MOST_LINES], report.made_at)]
    if len(keys) > _MOST_LINES:
        parts.append(_note(f"The {_MOST_LINES} oldest of {len(keys):,} active keys."))
    return _section("Keys by age and last use", *parts)


def keys_section(report: Report) -> Markup:
    """Every key with its figures."""
    if not report.keys:
        return _section("Keys", tag("p", "The store has no keys.", class_="empty"))
    parts = [keys_table(report, report.keys[:MOST_ROWS])]
    if len(report.keys) > MOST_ROWS:
        left_out = len(report.keys) - MOST_ROWS
        parts.append(_note(f"{left_out:,} more, with fewer calls: routic usage show has all of them."))
    return _section("Keys", *parts, long=True)


def _short(count: int) -> str:
    """The whole number, as long as a tile has room for it."""
    return f"{count:,}" if count < _MILLION else magnitude(count)


def _short_money(billionths: int) -> str:
    whole = billionths // BILLIONTHS
    return money(billionths) if whole < _MILLION // 10 else _short(whole)


def _currency(report: Report) -> str:
    account = report.account
    return account.currency if account.balance is None else f"{account.currency} · {money(account.balance)} left"


def _tile(name: str, figure: Markup, more: str) -> Markup:
    return tag(
        "div", tag("dt", name), tag("dd", figure, class_="figure"), tag("dd", more, class_="figure-of"), class_="tile"
    )


def _section(title: str, *parts: Markup, long: bool = False) -> Markup:
    return tag("section", tag("h2", title), *parts, class_="long" if long else None)


def _per_step(report: Report) -> Markup:
    steps = report.steps
    length = "a day" if steps.length == DAY else length_of(0, steps.length).replace("1 hour", "an hour")
    begun = "" if steps.begin <= report.since else f" The log has nothing before {day(steps.begin)}."
    return _note(f"Each bar is {length}, in UTC.{begun}")


def _severity_legend() -> Markup:
    marks = (tag("li", severity_mark(each)) for each in sorted(Severity, key=lambda each: -each.rank))
    return tag("ul", *marks, class_="legend")


def _note(text: str) -> Markup:
    return tag("p", text, class_="note")
