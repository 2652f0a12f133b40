"""`routic usage audit`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.usage.options import (
    Keys,
    Since,
    Until,
    describe_period,
    key_ids_of,
    period_of,
    settle_format,
    tell,
    tell_of_nothing,
)
from routic_cli.domain.audit.findings import AuditQuery, RuleName, Severity
from routic_cli.domain.traffic import Dimension, TrafficQuery
from routic_cli.output.audit import AuditFormat, AuditReport, print_audit
from routic_cli.output.patience import patience
from routic_cli.transport.wire.usage import FINDING_FIELDS

EXAMPLES: Final = """
routic usage audit
routic usage audit --since 24h --fail-on high
routic usage audit --key prod-backend --rule new-network --rule new-client
routic usage audit --format sarif > routic.sarif
"""

_FINDINGS: Final = 9


def run(
    ctx: typer.Context,
    since: Since = "7d",
    until: Until = None,
    rule: Annotated[
        list[RuleName] | None,
        typer.Option(
            "--rule", metavar="RULE", help=f"Only this one; may be repeated. The rules: {', '.join(RuleName)}."
        ),
    ] = None,
    key: Keys = None,
    fail_on: Annotated[
        Severity | None, typer.Option("--fail-on", help="End with 9 for a finding of this severity or above.")
    ] = None,
    format_: Annotated[AuditFormat | None, typer.Option("--format", help="How to print it.")] = None,
) -> int:
    """Check the usage log for calls that should not be there, and the keys for what invites them.

    Each finding says why it was found and which command comes next. In a pipe, tab-separated lines of severity, rule,
    key id, key name, count, first, last, addresses, evidence, remedy.
    """
    session = session_of(ctx)
    form = AuditFormat(settle_format(session, format_))
    session.require_fields(FINDING_FIELDS)
    period = period_of(session, since, until)
    rules, key_ids = tuple(dict.fromkeys(rule or ())), key_ids_of(session, key or ())
    usage = session.transport.usage
    with patience(session.console, "Looking through the usage log"):
        looked_at = usage.summary(
            TrafficQuery((Dimension.KEY,), since=period.since, until=period.until, key_ids=key_ids or None)
        ).rows
        findings = [
            replace(finding, remedy=finding.remedy and session.with_its_flags(finding.remedy))
            for finding in usage.audit(AuditQuery(period.since, period.until, rules, key_ids, session.config.policy))
        ]
    report = AuditReport(
        findings,
        *period,
        describe_period(period),
        calls=sum(row.calls for row in looked_at),
        keys=sum(row.labels != (None,) for row in looked_at),
        rules=rules,
        fields=session.fields,
    )
    print_audit(session.console, report, form)
    if not report.calls:
        session.console.warn("No calls were looked at: this says nothing about who uses the keys")
        tell_of_nothing(session, period, key_ids)
    else:
        tell(session, f"{report.tally[:1].upper()}{report.tally[1:]}. Looked at {report.scope}")
    return _FINDINGS if fail_on and any(each.severity.rank >= fail_on.rank for each in findings) else 0
