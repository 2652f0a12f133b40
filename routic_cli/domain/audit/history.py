"""The two times that rules compare: the one that is looked at, and a key's own history before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.keys import Key, KeyId
from routic_cli.domain.traffic import HOUR_SECONDS, Dimension, Traffic, TrafficQuery
from routic_cli.domain.usage import USES

DAY_SECONDS: Final = 86400
LET_IN: Final = tuple(sorted(USES))

Rows = dict[KeyId, list[Traffic]]
"""Traffic by key. The first label of each row is the key's id, and left in its place."""


def window(facts: Facts, *by: Dimension, keys: Collection[KeyId] | None = None, **conditions: Any) -> Rows:
    """What is looked at, by key and then by these dimensions: the calls with keys that the audit is about."""
    query = facts.query
    return _asked(facts, by, keys, since=query.since, until=query.until, **conditions)


def baseline(facts: Facts, *by: Dimension, keys: Collection[KeyId] | None = None, **conditions: Any) -> Rows:
    """The same of the history: it ends with the hour before the first one of the window, so that none is in both."""
    until = facts.query.since - facts.query.since % HOUR_SECONDS
    since = until - facts.query.policy.baseline_days * DAY_SECONDS
    return _asked(facts, by, keys, since=since, until=until, **conditions)


def callers(facts: Facts, keys: Collection[KeyId], *by: Dimension, **conditions: Any) -> Rows:
    """Who called with those few keys in the window: by key, address and these dimensions."""
    return window(facts, Dimension.ADDRESS, *by, keys=keys, **conditions) if keys else {}


def established(facts: Facts) -> list[Key]:
    """The keys that have a history to be compared with: long enough, and of enough calls."""
    policy = facts.query.policy
    begun_by = facts.query.since - policy.baseline_least_days * DAY_SECONDS
    before = baseline(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    return [
        key
        for key in facts.keys
        if key.id in before
        and min(row.first_at for row in before[key.id]) <= begun_by
        and sum(row.calls for row in before[key.id]) >= policy.baseline_least_calls
    ]


def awoken(facts: Facts) -> Mapping[KeyId, list[Traffic]]:
    """The last days in which keys called that were silent for the whole baseline and call again; long enough a history.

    By network and family. Nobody misses a key that nothing uses: who steals it would be seen by no other comparison.
    """
    policy = facts.query.policy
    now = window(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    before = baseline(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    silent_since = facts.query.since - facts.query.since % HOUR_SECONDS - policy.baseline_days * DAY_SECONDS
    asked = [key.id for key in facts.keys if key.id in now and key.id not in before and key.created_at < silent_since]
    found = {}
    for key_id, rows in (_asked(facts, (), asked, until=silent_since, outcomes=LET_IN) if asked else {}).items():
        last_at = max(row.last_at for row in rows)
        past = _asked(
            facts,
            (Dimension.NETWORK, Dimension.FAMILY),
            (key_id,),
            since=last_at - policy.baseline_days * DAY_SECONDS,
            until=min(last_at + 1, silent_since),
            outcomes=LET_IN,
        )[key_id]
        awake = last_at - min(row.first_at for row in past)
        if awake >= policy.baseline_least_days * DAY_SECONDS and calls_of(past) >= policy.baseline_least_calls:
            found[key_id] = past
    return found


def calls_of(rows: Iterable[Traffic]) -> int:
    """All of their calls."""
    return sum(row.calls for row in rows)


def _asked(facts: Facts, by: tuple[Dimension, ...], keys: Collection[KeyId] | None, **conditions: Any) -> Rows:
    ids = tuple(sorted((key.id for key in facts.keys) if keys is None else keys))
    found: Rows = {}
    for row in facts.traffic(TrafficQuery((Dimension.KEY, *by), key_ids=ids, **conditions)):
        found.setdefault(KeyId(str(row.labels[0])), []).append(row)
    return found
