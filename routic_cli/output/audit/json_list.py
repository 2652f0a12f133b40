"""An audit as a list object, the same that the admin API answers."""

from __future__ import annotations

from routic_cli.output.audit.report import AuditReport
from routic_cli.output.console import Console
from routic_cli.output.json_out import print_json
from routic_cli.transport.wire import list_object
from routic_cli.transport.wire.usage import FINDING_FIELDS, finding_object


def print_report(console: Console, report: AuditReport) -> None:
    """Each finding with its fields, or with those asked for."""
    print_json(console, list_object(map(finding_object, report.findings)), report.fields, known=FINDING_FIELDS)
