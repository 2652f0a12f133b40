"""A key is let in from a block of addresses (/24, /48) that its own history does not have."""

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
    for found in news(facts, Dimension.NETWORK):
        yield _finding(found)


def _finding(found: News) -> Finding:
    key, rows, known, when = found
    networks = named(str(row.labels[2] or "no address") for row in sorted(rows, key=lambda row: -row.calls))
    evidence = (
        f"{counted(calls_of(rows), 'call')} from {networks}. {when} had calls from"
        f" {counted(known, 'other network')} only. If the service has not moved, somebody else has the key."
    )
    return finding(
        RuleName.NEW_NETWORK, Severity.MEDIUM, key, rows, evidence, rotate_now(key), addresses=addresses_in(rows)
    )
