"""A key is let in with a program that its own history does not have; another version of one is none."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import calls_of
from routic_cli.domain.audit.novelty import News, news
from routic_cli.domain.audit.wording import addresses_in, counted, finding, named, rotate_now
from routic_cli.domain.traffic import Dimension


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key with a history."""
    for found in news(facts, Dimension.FAMILY):
        yield _finding(found)


def _finding(found: News) -> Finding:
    key, rows, known, when = found
    ordered = sorted(rows, key=lambda row: -row.calls)
    programs = named(None if row.labels[2] is None else str(row.labels[2]) for row in ordered)
    evidence = (
        f"{counted(calls_of(rows), 'call')} by {programs}. {when} had calls by"
        f" {counted(known, 'other program')} only. If nobody has tried something by hand, somebody else has the key."
    )
    return finding(
        RuleName.NEW_CLIENT, Severity.MEDIUM, key, rows, evidence, rotate_now(key), addresses=addresses_in(rows)
    )
