"""An audit for a spreadsheet: a record for each finding, times in RFC 3339, addresses with a space between them."""

from __future__ import annotations

from collections.abc import Iterable

from routic_cli.domain.audit.findings import Finding
from routic_cli.output.audit.report import AuditReport
from routic_cli.output.console import Console
from routic_cli.output.csv_out import print_csv
from routic_cli.output.times import absolute_or_empty
from routic_cli.transport.wire.usage import FINDING_FIELDS


def print_report(console: Console, report: AuditReport) -> None:
    """The fields of the JSON form, in its order."""
    print_csv(console, FINDING_FIELDS, map(_record, report.findings))


def _record(finding: Finding) -> Iterable[object]:
    return [
        finding.rule.value,
        finding.severity.value,
        finding.key_id,
        finding.key_name,
        finding.count,
        absolute_or_empty(finding.first_at),
        absolute_or_empty(finding.last_at),
        " ".join(finding.addresses),
        finding.evidence,
        finding.remedy,
    ]
