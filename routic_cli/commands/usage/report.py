"""`routic usage report`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.usage.options import Period, Since, Until, period_of
from routic_cli.delivery.whole_file import WholeFile
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.output.amounts import counted
from routic_cli.output.json_out import print_json
from routic_cli.output.patience import patience
from routic_cli.output.report.contents import Report
from routic_cli.output.report.page import BEGINNING, page
from routic_cli.output.report.vega import require_installed
from routic_cli.session import Session
from routic_cli.transport.wire.usage import cost_number

EXAMPLES: Final = """
routic usage report
routic usage report --since 7d --output week.html
routic usage report --output - > report.html
"""

_FIELDS: Final = (
    "object",
    "path",
    "bytes",
    "since",
    "until",
    "calls",
    "errors",
    "tokens_in",
    "tokens_out",
    "cost",
    "active_keys",
    "findings",
)
_STDOUT: Final = "-"


def run(
    ctx: typer.Context,
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="Where to write it; - is standard output.")
    ] = "routic-usage.html",
    since: Since = "30d",
    until: Until = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is not an earlier report.")] = False,
) -> None:
    """Write a page of who called how often, what went wrong, what the audit finds, and how old the keys are.

    One HTML file that stands alone: it loads nothing, runs nothing, and can be read on a phone, in the dark and on
    paper. It holds the addresses of callers, so only you can read it.
    """
    session = session_of(ctx)
    if output == _STDOUT and session.wants_json:
        raise InvalidRequestError(
            "Standard output cannot have both the report and JSON",
            not_done="No report was made",
            remedy="routic usage report --json --output FILE",
            param="output",
        )
    session.require_fields(_FIELDS)
    require_installed()
    period = period_of(session, since, until)
    if output == _STDOUT:
        session.console.data(page(_report(session, period)))
        return
    file = WholeFile(Path(output), "report", BEGINNING, force=force, command="routic usage report")
    file.require_free()
    report = _report(session, period)
    text = page(report)
    _tell(session, report, file.write(text), len(text.encode()))


def _report(session: Session, period: Period) -> Report:
    from routic_cli.workflows.usage_report import gather

    config = session.config
    with patience(session.console, "Making the report"):
        report = gather(
            session.transport,
            period.since,
            period.until,
            now=period.now,
            store=config.store_url.url,
            policy=config.policy,
        )
    findings = [replace(each, remedy=each.remedy and session.with_its_flags(each.remedy)) for each in report.findings]
    return replace(report, findings=findings)


def _tell(session: Session, report: Report, path: Path, size: int) -> None:
    if session.wants_json:
        print_json(session.console, _report_object(report, path, size), session.fields, known=_FIELDS)
        return
    found = ", ".join(f"{count} {severity}" for severity, count in report.severities().items() if count)
    calls, findings = counted(report.total("calls"), "call"), counted(len(report.findings), "finding")
    session.console.success(f"Wrote {path}: {calls}, {findings}{f' ({found})' if found else ''}")
    if not report.calls:
        session.console.warn("No calls were looked at: this says nothing about who uses the keys")
    session.console.notice(f"Open it in a browser: {path.as_uri()}")


def _report_object(report: Report, path: Path, size: int) -> dict[str, Any]:
    return {
        "object": "usage_report",
        "path": str(path),
        "bytes": size,
        "since": report.since,
        "until": report.until,
        "calls": report.total("calls"),
        "errors": report.total("errors"),
        "tokens_in": report.total("tokens_in"),
        "tokens_out": report.total("tokens_out"),
        "cost": cost_number(report.total("cost")),
        "active_keys": len(report.active_keys),
        "findings": {str(severity): count for severity, count in report.severities().items()},
    }
