"""What a scan found, in every form that `--format` names."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from routic_cli.output.console import Console
from routic_cli.output.scan.report import ScanReport

_MODULES: Final = {"table": "table", "json": "json_list", "sarif": "sarif", "github": "github"}


def print_scan(console: Console, report: ScanReport, form: str) -> None:
    """To standard output, in one of the forms."""
    import_module(f"{__name__}.{_MODULES[form]}").print_report(console, report)
