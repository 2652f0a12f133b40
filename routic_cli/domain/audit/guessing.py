"""Somebody tries keys: many different ones that no store knows, within a day, from one address or spread over many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import DAY_SECONDS
from routic_cli.domain.audit.wording import counted, most_active
from routic_cli.domain.traffic import Strangers

_STEP: Final = DAY_SECONDS // 2
"""A day begins at midnight and at noon, or who guesses around midnight would be seen half as often on each side."""


def find(facts: Facts) -> Iterator[Finding]:
    """One finding for all who guess. One wrong key is one, however often a service repeats it."""
    query = facts.query
    if query.key_ids or facts.log_began is None:
        return
    policy = query.policy
    begin = max(query.since, facts.log_began)
    end = min(query.until, facts.now + DAY_SECONDS)  # a clock may be ahead, not by a day
    guessing: set[str] = set()
    spread: list[Strangers] = []
    # Over weeks, the stale keys of a whole office may come from behind one address. Guessing is quick.
    for day in range(begin - begin % _STEP - _STEP, end, _STEP):
        since, until = max(day, begin), min(day + DAY_SECONDS, end)
        found = facts.strangers(since=since, until=until, least=policy.guessing_keys)
        guessing.update(each.address for each in found)
        rest = policy.guessing_keys_together + sum(each.keys for each in found)
        spread += facts.strangers(since=since, until=until, least=rest, apart=False)
    if guessing:
        all_of_them = facts.strangers(since=query.since, until=query.until, least=policy.guessing_keys)
        yield _finding([each for each in all_of_them if each.address in guessing])
    elif spread:
        yield _finding_of_many(facts, max(spread, key=lambda each: each.keys))


def _finding(found: list[Strangers]) -> Finding:
    worst = max(found, key=lambda each: (each.keys, each.address))
    places = counted(len(found), "address", "addresses")
    evidence = (
        f"{counted(sum(each.keys for each in found), 'different unknown key')} in"
        f" {counted(sum(each.calls for each in found), 'call')} from {places}, the most ({worst.keys:,}) from"
        f" {worst.address or 'an unknown address'}. None was let in; the gateway can block the addresses."
    )
    return _of(found, sum(each.keys for each in found), evidence)


def _finding_of_many(facts: Facts, day: Strangers) -> Finding:
    """Of the day with the most, as there is nobody to be named in it who would be found on another."""
    found = facts.strangers(since=day.first_at, until=day.last_at + 1, least=1)
    evidence = (
        f"{counted(day.keys, 'different unknown key')} in {counted(day.calls, 'call')} within a day, from"
        f" {counted(len(found), 'address', 'addresses')} with few keys each. None was let in. One who guesses has many"
        " addresses, or the keys of another store are still in use."
    )
    return _of(list(found), day.keys, evidence)


def _of(found: list[Strangers], keys: int, evidence: str) -> Finding:
    return Finding(
        rule=RuleName.GUESSING,
        severity=Severity.HIGH,
        key_id=None,
        key_name=None,
        count=keys,
        first_at=min(each.first_at for each in found),
        last_at=max(each.last_at for each in found),
        addresses=most_active((each.address, each.calls) for each in found),
        evidence=evidence,
        remedy=None,
    )
