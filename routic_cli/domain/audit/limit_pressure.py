"""A key is often at its limit: the service needs a higher one, or a second key."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import callers, calls_of, window
from routic_cli.domain.audit.wording import addresses_in, counted, finding, second_key
from routic_cli.domain.keys import Key
from routic_cli.domain.traffic import Dimension, Traffic
from routic_cli.domain.usage import Outcome


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key with enough refusals, of enough of its calls, in several hours."""
    policy = facts.query.policy
    calls = {key_id: calls_of(rows) for key_id, rows in window(facts, Dimension.HOUR).items()}
    limited = {
        key_id: rows
        for key_id, rows in window(facts, Dimension.HOUR, outcomes=(Outcome.LIMITED,)).items()
        if len(rows) >= policy.limited_hours
        and calls_of(rows) >= policy.limited_calls
        and calls_of(rows) * 100 >= calls[key_id] * policy.limited_percent
    }
    addresses = callers(facts, limited, outcomes=(Outcome.LIMITED,))
    for key in facts.keys:
        if key.id in limited:
            yield _finding(key, limited[key.id], calls[key.id], addresses[key.id])


def _finding(key: Key, hours: list[Traffic], calls: int, rows: list[Traffic]) -> Finding:
    limit = f"its limit of {key.traits.rpm:,} a minute" if key.traits.rpm is not None else "its limit"
    count = calls_of(hours)
    evidence = (
        f"{counted(count, 'call')} of {calls:,} ({count * 100 // calls} %) refused at {limit}, in"
        f" {counted(len(hours), 'hour')}. A second key for the service, or a higher --rpm, ends that."
    )
    return finding(
        RuleName.LIMIT_PRESSURE, Severity.LOW, key, hours, evidence, second_key(key), addresses=addresses_in(rows)
    )
