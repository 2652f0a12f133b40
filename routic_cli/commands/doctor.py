"""`routic doctor`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.delivery.verdict import Finding, Severity
from routic_cli.output.json_out import print_json
from routic_cli.output.tables import print_table
from routic_cli.session import Session
from routic_cli.transport.wire import list_object
from routic_cli.workflows.checkup import Patient, examine, lost_placements

EXAMPLES: Final = """
routic doctor
routic doctor --fix
"""

_FINDINGS: Final = 9
_FIELDS: Final = ("object", "area", "rule", "severity", "message", "remedy")


def run(
    ctx: typer.Context,
    fix: Annotated[
        bool, typer.Option("--fix", help="First tidy up what a crash left open, and forget places that lost their key.")
    ] = False,
) -> int:
    """Say everything that is wrong on this machine, each with the command that mends it.

    Looks at the configuration, permissions, the store, the clock, operations that a crash left open, the keyring, and
    the places that hold keys. Ends with 9 when there is anything to mend.
    """
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    if fix:
        _mend(session)
    patient = Patient(
        config=lambda: session.config,
        credential=lambda: session.credential,
        transport=lambda: session.transport,
        state=lambda: session.state,
        journal=lambda: session.journal,
        now=session.now(),
    )
    areas = list(examine(patient))
    areas = [
        (area, [replace(each, remedy=session.with_its_flags(each.remedy)) for each in found]) for area, found in areas
    ]
    findings = [(area, finding) for area, found in areas for finding in found]
    if session.wants_json:
        objects = [
            {
                "object": "finding",
                "area": area,
                "rule": finding.rule,
                "severity": finding.severity.name.lower(),
                "message": finding.message,
                "remedy": finding.remedy or None,
            }
            for area, finding in findings
        ]
        print_json(session.console, list_object(objects), session.fields, known=_FIELDS)
    elif session.console.stdout_is_terminal:
        for area, found in areas:
            _show(session, area, found)
    else:
        rows = [(area, finding.rule, finding.message, finding.remedy) for area, finding in findings]
        print_table(session.console, (), rows)
    return _FINDINGS if findings else 0


def _mend(session: Session) -> None:
    desk = session.desk  # recovery is part of getting it
    for placed in lost_placements(desk.transport, session.state.all_placements(desk.store_url), desk.now):
        session.state.forget_placement(placed)
        session.console.success(f"Forgot {placed.location}: it does not hold its key any more")


def _show(session: Session, area: str, found: list[Finding]) -> None:
    if not found:
        session.console.success(area)
    for finding in found:
        line = f"{area}: {finding.message}"
        session.console.problem(line) if finding.severity is Severity.REFUSE else session.console.warn(line)
        if finding.remedy:
            session.console.remedy(finding.remedy)
