"""A live key whose secret has not been rotated for long."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import DAY_SECONDS
from routic_cli.domain.audit.wording import finding, is_live, moment, ref


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each."""
    before = facts.now - facts.query.policy.old_days * DAY_SECONDS
    for key in facts.keys:
        version = key.current
        if is_live(key) and version.created_at <= before:
            days = (facts.now - version.created_at) // DAY_SECONDS
            evidence = f"Its secret (version {version.number}) is {days:,} days old, from {moment(version.created_at)}."
            yield finding(RuleName.OLD, Severity.LOW, key, (), evidence, f"routic rotate {ref(key)}")
