"""A key of development calls from a place of production, or the reverse."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping
from typing import Final

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import LET_IN, baseline, callers, calls_of, established, window
from routic_cli.domain.audit.wording import addresses_in, counted, finding, is_live, named, ref, second_key
from routic_cli.domain.keys import Key, KeyId
from routic_cli.domain.traffic import Dimension, Label, Traffic

_DEVELOPMENT: Final = "development"
_PRODUCTION: Final = "production"
_TAGS: Final = ("env", "environment")
_WORDS: Final = {
    **dict.fromkeys(
        ("dev", "develop", "development", "local", "test", "testing", "stage", "staging", "qa"), _DEVELOPMENT
    ),
    **dict.fromkeys(("prod", "production", "live"), _PRODUCTION),
}
_HOME_PERCENT: Final = 50


def environment_of(key: Key) -> str | None:
    """What the key's tag `env` or `environment` says, in one of two words; None for another, or none."""
    for tag in _TAGS:
        found = _WORDS.get(key.traits.tags.get(tag, "").strip().lower())
        if found is not None:
            return found
    return None


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each tagged key from networks where mostly keys of the other environment called before.

    Not from the key's own main place: where both live in one network, the network says nothing.
    """
    environments = {key.id: environment for key in facts.all_keys if (environment := environment_of(key)) is not None}
    if len(set(environments.values())) < len({_DEVELOPMENT, _PRODUCTION}):
        return
    places = _places(facts, environments)
    now = window(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    found: list[tuple[Key, set[Label]]] = []
    for key in established(facts):
        if key.id in environments:
            networks = {row.labels[1] for row in now.get(key.id, ()) if row.labels[1] is not None}
            homes = _homes(places, key.id)
            wrong: set[Label] = {
                each for each in networks - homes if _is_others(facts, places[each], key.id, environments)
            }
            if wrong:
                found.append((key, wrong))
    by_address = callers(facts, [key.id for key, _ in found], Dimension.NETWORK, outcomes=LET_IN)
    for key, wrong in found:
        rows = [row for row in by_address[key.id] if row.labels[2] in wrong]
        yield _finding(key, environments[key.id], rows)


def _places(facts: Facts, environments: Container[KeyId]) -> Mapping[Label, Counter[KeyId]]:
    places: dict[Label, Counter[KeyId]] = defaultdict(Counter)
    keys = [key.id for key in facts.all_keys]  # all of them: the same question as the other rules ask
    for key_id, rows in baseline(facts, Dimension.NETWORK, Dimension.FAMILY, keys=keys, outcomes=LET_IN).items():
        for row in rows if key_id in environments else ():
            places[row.labels[1]][key_id] += row.calls
    return places


def _homes(places: Mapping[Label, Counter[KeyId]], key_id: KeyId) -> set[Label]:
    """Where the key made half of its calls or more."""
    own = {network: calls[key_id] for network, calls in places.items() if key_id in calls}
    return {network for network, calls in own.items() if calls * 100 >= sum(own.values()) * _HOME_PERCENT}


def _is_others(facts: Facts, calls: Counter[KeyId], key_id: KeyId, environments: Mapping[KeyId, str]) -> bool:
    """Whether, of the calls of other tagged keys from there, enough and mostly were of the other environment."""
    policy = facts.query.policy
    others = {other: count for other, count in calls.items() if other != key_id}
    total = sum(others.values())
    opposite = sum(count for other, count in others.items() if environments[other] != environments[key_id])
    return opposite >= policy.environment_calls and opposite * 100 >= total * policy.environment_percent


def _finding(key: Key, environment: str, rows: list[Traffic]) -> Finding:
    other = _PRODUCTION if environment == _DEVELOPMENT else _DEVELOPMENT
    networks = named(str(row.labels[2]) for row in sorted(rows, key=lambda row: -row.calls))
    evidence = (
        f"{counted(calls_of(rows), 'call')} from {networks}, where keys of {other} call. The key is tagged as one of"
        f" {environment}."
    )
    if environment == _DEVELOPMENT:
        remedy = second_key(key, _PRODUCTION, more=f" --tag env={_PRODUCTION}")
    else:  # a secret of production lies on a machine of development
        remedy = f"routic rotate {ref(key)}" if is_live(key) else None
    return finding(
        RuleName.WRONG_ENVIRONMENT, Severity.MEDIUM, key, rows, evidence, remedy, addresses=addresses_in(rows)
    )
