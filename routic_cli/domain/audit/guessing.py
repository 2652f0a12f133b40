"""Somebody tries keys: many different ones that no store knows, from one address, within a day."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import DAY_SECONDS
from routic_cli.domain.audit.wording import counted, most_active
from routic_cli.domain.traffic import Strangers


def find(facts: Facts) -> Iterator[Finding]:
    """One finding for all such addresses. One wrong key is one, however often a service repeats it."""
    query = facts.query
    if query.key_ids:
        return
    least = query.policy.guessing_keys
    guessing: set[str] = set()
    if facts.log_began is None:
        return
    begin = max(query.since, facts.log_began)
    end = min(query.until, facts.now + DAY_SECONDS)  # a clock may be ahead, not by a day
    # Over weeks, the stale keys of a whole office may come from behind one address. Guessing is quick.
    for day in range(begin - begin % DAY_SECONDS, end, DAY_SECONDS):
        found = facts.strangers(since=max(day, begin), until=min(day + DAY_SECONDS, end), least=least)
        guessing.update(each.address for each in found)
    if guessing:
        all_of_them = facts.strangers(since=query.since, until=query.until, least=least)
        yield _finding([each for each in all_of_them if each.address in guessing])


def _finding(found: list[Strangers]) -> Finding:
    worst = max(found, key=lambda each: (each.keys, each.address))
    places = counted(len(found), "address", "addresses")
    evidence = (
        f"{counted(sum(each.keys for each in found), 'different unknown key')} in"
        f" {counted(sum(each.calls for each in found), 'call')} from {places}, the most ({worst.keys:,}) from"
        f" {worst.address or 'an unknown address'}. None was let in; the gateway can block the addresses."
    )
    return Finding(
        rule=RuleName.GUESSING,
        severity=Severity.HIGH,
        key_id=None,
        key_name=None,
        count=sum(each.keys for each in found),
        first_at=min(each.first_at for each in found),
        last_at=max(each.last_at for each in found),
        addresses=most_active((each.address, each.calls) for each in found),
        evidence=evidence,
        remedy=None,
    )
