"""A live key without an end."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.wording import finding, is_live, ref


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each."""
    for key in facts.keys:
        if is_live(key) and key.traits.expires_at is None:
            evidence = "It never ends: a copy that somebody forgot, or took, works until the key is revoked."
            remedy = f"routic keys update {ref(key)} --expires {facts.query.policy.old_days}d"
            yield finding(RuleName.NO_EXPIRY, Severity.LOW, key, (), evidence, remedy)
