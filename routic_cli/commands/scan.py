"""`routic scan`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.missing_store import missing_store
from routic_cli.commands.usage.options import settle_format
from routic_cli.domain.errors import InvalidRequestError, PartialFailureError, RouticError
from routic_cli.domain.keys import Verdict, VerdictStatus
from routic_cli.domain.secret import Fingerprint
from routic_cli.output.amounts import counted
from routic_cli.output.inert import inert
from routic_cli.output.progress import progress
from routic_cli.output.scan import print_scan
from routic_cli.output.scan.json_list import FIELDS
from routic_cli.output.scan.report import FoundKey, Level, ScanReport
from routic_cli.output.scan.table import tell
from routic_cli.scanning.sightings import STAGED, Scan, Told
from routic_cli.session import Session

EXAMPLES: Final = """
routic scan
routic scan --staged
routic scan --history --format sarif > routic.sarif
routic scan --print-rules gitleaks > .gitleaks.toml
"""

_FINDINGS: Final = 9
_AT_ONCE: Final = 2000  # what was answered before the store failed still counts
_LEVELS: Final = tuple(Level)
_ADVICE: Final = "routic scan --store URL"


class Format(StrEnum):
    """How a scan is printed."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Scanner(StrEnum):
    """Whose rules can be printed."""

    GITLEAKS = "gitleaks"
    TRUFFLEHOG = "trufflehog"


def run(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    ctx: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", readable=False, help="Files and folders; the current folder by default."),
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", help="What the next commit would contain.")] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Every branch, tag, stash and reflog, the index, and submodules.")
    ] = False,
    unreachable: Annotated[
        bool, typer.Option("--unreachable", help="With --history: objects that nothing reaches any more, too.")
    ] = False,
    no_ignore: Annotated[bool, typer.Option("--no-ignore", help="Files that git ignores, too.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no store: every key counts as active.")] = False,
    format_: Annotated[Format | None, typer.Option("--format", help="How to print it.")] = None,
    print_rules: Annotated[
        Scanner | None, typer.Option("--print-rules", help="Print a rule by which another scanner finds our keys.")
    ] = None,
) -> int:
    """Find our keys in files, in what is staged, or in the history of a repository.

    Ends with 9 when one of them is active. Keys that are revoked, expired, or unknown to the store are told, and end
    with 0; with --offline, or where there is no store, nobody says that a key is dead, and each counts as active.
    In a pipe, tab-separated lines: file:line, commit, hint, name of the key, status. A key itself is never printed.
    """
    session = session_of(ctx)
    if print_rules is not None:
        from routic_cli.scanning.rules import RULES

        session.console.data(RULES[print_rules])
        return 0
    form = settle_format(session, format_)
    session.require_fields(FIELDS)
    _check(staged=staged, history=history, unreachable=unreachable, no_ignore=no_ignore)
    places = _existing(paths or [Path()])
    with _watched(session, "object" if history else "file") as told:
        if staged or history:
            scan = _scan_repositories(places, told, staged=staged, unreachable=unreachable)
        else:
            from routic_cli.scanning.tree import scan_tree

            scan = Scan("file")
            scan_tree(places, scan, ignoring=not no_ignore, told=told)
    verdicts, errors = ({}, []) if offline else _ask(session, scan)
    found = [FoundKey(sighting, verdicts.get(sighting.sha256)) for sighting in scan.sightings]
    found.sort(key=lambda each: (_LEVELS.index(each.level), each.file or each.where, each.sighting.line or 0))
    report = ScanReport(found, scan.looked_at, scan.unit, session.with_its_flags, session.fields)
    print_scan(session.console, report, form)
    return _conclude(session, scan, report, errors)


def _check(*, staged: bool, history: bool, unreachable: bool, no_ignore: bool) -> None:
    for this, flag, other, meaning in (
        (staged and history, "--staged", "--history", "The history has the index in it"),
        (unreachable and not history, "--unreachable", "no --history", "It is about objects of a history"),
        (no_ignore and (staged or history), "--no-ignore", "--staged or --history", "Git keeps no ignored files"),
    ):
        if this:
            raise InvalidRequestError(
                f"{flag} does not go with {other}", why=meaning, not_done="Nothing was scanned", remedy="routic scan -h"
            )


def _existing(paths: Sequence[Path]) -> Sequence[Path]:
    for path in paths:
        if not os.path.lexists(path):
            raise InvalidRequestError(f"There is no {inert(str(path))}", not_done="Nothing was scanned", param="PATH")
    return paths


def _scan_repositories(places: Sequence[Path], told: Told, *, staged: bool, unreachable: bool) -> Scan:
    from routic_cli.scanning.git_stream import ScanError
    from routic_cli.scanning.history import scan_history
    from routic_cli.scanning.index import scan_index
    from routic_cli.scanning.repositories import repository_around, with_nested

    repositories = {each.folder: each for each in map(repository_around, places)}.values()
    if staged:
        scan = Scan(STAGED)
        for repository in repositories:
            # Git names another index to the hooks of `git commit FILE`: that is what will be committed.
            index = os.environ.get("GIT_INDEX_FILE", "")
            try:
                scan_index(repository, scan, index=os.path.abspath(index) if index else "")  # noqa: PTH100  # as git
            except ScanError as error:
                scan.failed(error)
        return scan
    scan = Scan("object")
    stores = {nested.store: nested for each in repositories for nested in with_nested(each, scan)}
    for repository in stores.values():
        try:
            scan_history(repository, scan, unreachable=unreachable, told=told)
        except ScanError as error:  # it hides no finding of another repository
            scan.failed(error)
    return scan


@contextmanager
def _watched(session: Session, unit: str) -> Iterator[Told]:
    shown = [0]
    with progress(session.console, "Scanning", 100) as bar:

        def told(done: int, total: int) -> None:
            percent = done * 100 // max(total, 1)
            bar.advance(percent - shown[0], f"{done:,}/{counted(total, unit)}")
            shown[0] = percent

        yield told


def _ask(session: Session, scan: Scan) -> tuple[Mapping[Fingerprint, Verdict], list[RouticError]]:
    """What the store says of each key; and what kept it from saying more."""
    if not scan.sightings:
        return {}, []
    verdicts: dict[Fingerprint, Verdict] = {}
    try:
        missing = missing_store(session)
        if missing is not None:
            scan.notices.append((f"There is no store at {missing}: nobody was asked about the keys", _ADVICE))
            return {}, []
        hashes = scan.distinct()
        for start in range(0, len(hashes), _AT_ONCE):
            some = hashes[start : start + _AT_ONCE]
            answers = session.transport.verify_many(some)
            # A hook must not let pass what another account of the same store lets in.
            answers = [Verdict(each.elsewhere) if each.elsewhere is not None else each for each in answers]
            verdicts |= zip(some, answers, strict=True)
    except RouticError as error:
        return verdicts, [error]
    return verdicts, []


def _conclude(session: Session, scan: Scan, report: ScanReport, errors: list[RouticError]) -> int:
    """Say what it comes to. 9 for an active key, else the first thing that went wrong, else 0."""
    if not session.wants_json:
        _tell(session, scan, report)
    if scan.troubles:
        count = counted(len(scan.troubles), "thing")
        why = "; ".join(what for what, _ in scan.troubles) if session.wants_json else ""
        errors.append(
            PartialFailureError(f"{count} could not be scanned", why=why, not_done="The scan is not complete")
        )
    # Where the store was to be asked and could not be, its error says so better than a finding would.
    certain = any(found.status == VerdictStatus.ACTIVE for found in report.found)
    findings = certain or (not errors and any(found.counts for found in report.found))
    for error in errors if findings else errors[1:]:
        session.console.error(error, as_json=session.wants_json)
    if errors and not findings:
        raise errors[0]
    return _FINDINGS if findings else 0


def _tell(session: Session, scan: Scan, report: ScanReport) -> None:
    for say, told in ((session.console.problem, scan.troubles), (session.console.warn, scan.notices)):
        for what, remedy in told:
            say(inert(what))  # a name of a file in it may have line breaks
            if remedy:
                session.console.remedy(inert(session.with_its_flags(remedy)))
    if report.found or not scan.troubles:
        tell(session.console, report)
