"""`routic env check`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.delivery.dotenv_text import read_variables
from routic_cli.delivery.env_contents import Held, content_findings, held_keys
from routic_cli.delivery.ignore_fix import fix
from routic_cli.delivery.regular_file import read_regular
from routic_cli.delivery.safety import judge
from routic_cli.delivery.verdict import Finding, Severity
from routic_cli.domain.errors import DeliveryError, UnsafeDestinationError
from routic_cli.domain.keys import Verdict
from routic_cli.output.console import Console
from routic_cli.output.json_out import print_json
from routic_cli.output.tables import print_table
from routic_cli.session import Session
from routic_cli.transport.wire import JsonObject, list_object

EXAMPLES: Final = """
routic env check
routic env check .env.production --fix
"""

_FINDINGS: Final = 9
_FIELDS: Final = ("object", "path", "exists", "verdict", "findings", "keys", "fixed")
_VERDICTS: Final = {Severity.FINE: "fine", Severity.WARN: "warn", Severity.REFUSE: "refuse"}
_MENDABLE: Final = frozenset({"not-ignored", "wide-mode"})


@dataclass(slots=True)
class _Report:
    path: Path
    exists: bool
    findings: list[Finding]
    keys: list[tuple[Held, Verdict]] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)

    @property
    def severity(self) -> Severity:
        return max((finding.severity for finding in self.findings), default=Severity.FINE)


def run(
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", readable=False, help="Files; .env and its kin here by default."),
    ] = None,
    fix_: Annotated[
        bool, typer.Option("--fix", help="Add the narrowest .gitignore rule that works, and make the file private.")
    ] = False,
) -> int:
    """Say whether a file is a safe place for a secret, and whether the keys in it are alive.

    Ends with 9 when a file is not safe, or a key in it is dead or cannot work; warnings alone end with 0.
    """
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    reports = [_check(session, path, mend=fix_) for path in paths or _files_here()]
    if session.wants_json:
        print_json(session.console, list_object(map(_as_json, reports)), session.fields, known=_FIELDS)
    else:
        for report in reports:
            _show(session.console, report)
    return _FINDINGS if any(report.severity is Severity.REFUSE for report in reports) else 0


def _files_here() -> list[Path]:
    found = sorted(path for path in Path().glob(".env*") if path.is_file() and path.suffix not in _EXAMPLES)
    return found or [Path(".env")]


_EXAMPLES: Final = frozenset({".example", ".sample", ".template"})


def _check(session: Session, path: Path, *, mend: bool) -> _Report:
    findings = list(judge(path, None).findings)
    fixed: list[str] = []
    if mend and any(finding.rule in _MENDABLE for finding in findings):
        try:
            fixed = fix(path, state_directory=session.config.paths.state_file.parent)
        except UnsafeDestinationError as error:
            session.console.error(error)
        findings = list(judge(path, None).findings)
    report = _Report(path, path.exists(), findings, fixed=fixed)
    if report.exists and all(finding.rule != "not-regular" for finding in findings):
        _look_inside(session, report)
    return report


def _look_inside(session: Session, report: _Report) -> None:
    try:
        snapshot = read_regular(report.path.resolve())
        variables = read_variables(snapshot.content if snapshot else b"", name=str(report.path))
    except DeliveryError as error:
        report.findings.append(Finding("unreadable", Severity.REFUSE, ". ".join(error.sentences()[:2]), error.remedy))
        return
    report.keys = [(held, session.transport.verify(held.sha256)) for held in held_keys(variables)]
    here = shlex.quote(str(report.path))
    report.findings += [
        replace(finding, remedy=session.with_its_flags(finding.remedy.replace("PATH", here)))
        for finding in content_findings(variables, report.keys)
    ]


def _as_json(report: _Report) -> JsonObject:
    return {
        "object": "env_file",
        "path": str(report.path),
        "exists": report.exists,
        "verdict": _VERDICTS[report.severity],
        "findings": [
            {
                "rule": finding.rule,
                "severity": _VERDICTS[finding.severity],
                "message": finding.message,
                "remedy": finding.remedy or None,
            }
            for finding in report.findings
        ],
        "keys": [
            {
                "variable": held.variable,
                "hint": held.hint,
                "status": verdict.status.value,
                "key_id": verdict.key.id if verdict.key else None,
                "key_name": verdict.key.name if verdict.key else None,
            }
            for held, verdict in report.keys
        ],
        "fixed": report.fixed,
    }


def _show(console: Console, report: _Report) -> None:
    for line in report.fixed:
        console.success(line)
    if not console.stdout_is_terminal:
        rows = [(str(report.path), _VERDICTS[f.severity], f.rule, f.message, f.remedy) for f in report.findings]
        print_table(console, (), rows or [(str(report.path), "fine", "", "", "")])
        return
    _show_to_person(console, report)


def _show_to_person(console: Console, report: _Report) -> None:
    what = "" if report.exists else ", which does not exist yet,"
    if report.severity is Severity.FINE:
        console.success(f"{report.path}{what} is a safe place for a secret")
    for finding in report.findings:
        line = f"{report.path}: {finding.message}"
        console.warn(line) if finding.severity is Severity.WARN else console.problem(line)
        if finding.remedy:
            console.remedy(finding.remedy)
    rows: Sequence[Sequence[str]] = [
        (held.variable, held.hint, verdict.status.value, verdict.key.name if verdict.key else "")
        for held, verdict in report.keys
    ]
    if rows:
        print_table(console, ("Variable", "Hint", "Status", "Key"), rows)
