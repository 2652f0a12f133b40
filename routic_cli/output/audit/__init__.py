"""How an audit is printed: one file for each form, and this table of them. Only the form asked for is loaded."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module

from routic_cli.output.audit.report import AuditReport
from routic_cli.output.console import Console

__all__ = ["AuditFormat", "AuditReport", "print_audit"]


class AuditFormat(StrEnum):
    """The forms. Each has a module here, called as it is, with a `print_report`."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    SARIF = "sarif"


# `json` and `csv` are modules of the standard library: their files here have names of their own.
_MODULES = {
    AuditFormat.TABLE: "table",
    AuditFormat.JSON: "json_list",
    AuditFormat.CSV: "csv_rows",
    AuditFormat.MARKDOWN: "markdown",
    AuditFormat.SARIF: "sarif",
}


def print_audit(console: Console, report: AuditReport, form: AuditFormat) -> None:
    """The report to standard output."""
    import_module(f"{__name__}.{_MODULES[form]}").print_report(console, report)
