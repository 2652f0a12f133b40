"""What a key's calls have now that its own history never had. Two rules ask it: of networks, and of programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.history import DAY_SECONDS, LET_IN, awoken, baseline, callers, established, window
from routic_cli.domain.audit.wording import moment
from routic_cli.domain.keys import Key, UnixSeconds
from routic_cli.domain.traffic import Dimension, Label, Traffic

_PLACES = {Dimension.NETWORK: 1, Dimension.FAMILY: 2}


class News(NamedTuple):
    """The calls of a key with labels that are new: by key, address and the dimension; how many it had, and when."""

    key: Key
    rows: list[Traffic]
    known: int
    when: str


def news(facts: Facts, dimension: Dimension) -> Iterator[News]:
    """For each key with a history, what is new of the dimension; not for one that always meets new ones of it."""
    place = _PLACES[dimension]
    now = window(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    before = baseline(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    slept = awoken(facts)
    judged = {key.id for key in established(facts)} | slept.keys()
    found: list[tuple[Key, set[Label], int]] = []
    for key in facts.keys:
        if key.id not in judged:
            continue
        seen = _first_seen(slept.get(key.id) or before[key.id], place)
        end = max(row.last_at for row in slept[key.id]) if key.id in slept else facts.query.since
        if _roams(facts, dimension, seen, end):
            continue
        if new := {row.labels[place] for row in now.get(key.id, ())} - seen.keys():
            found.append((key, new, len(seen)))
    by_address = callers(facts, [key.id for key, *_ in found], dimension, outcomes=LET_IN)
    for key, new, known in found:
        when = f"The {facts.query.policy.baseline_days} days before"
        if key.id in slept:
            last_at = max(row.last_at for row in slept[key.id])
            when = f"The last {facts.query.policy.baseline_days} days of its use, until {moment(last_at)},"
        yield News(key, [row for row in by_address[key.id] if row.labels[2] in new], known, when)


def roams(facts: Facts, rows: list[Traffic]) -> bool:
    """Whether this history, by network and family, always meets new networks, or new programs."""
    end = facts.query.since
    return any(_roams(facts, dimension, _first_seen(rows, place), end) for dimension, place in _PLACES.items())


def _roams(facts: Facts, dimension: Dimension, seen: Mapping[Label, UnixSeconds], end: UnixSeconds) -> bool:
    """Whether the later half of the history, up to `end`, has so many new ones that one more says nothing."""
    policy = facts.query.policy
    roaming = policy.roaming_networks if dimension is Dimension.NETWORK else policy.roaming_clients
    begun = min(seen.values())
    half = max(begun + (end - begun) // 2, begun + DAY_SECONDS)
    return sum(first_at > half for first_at in seen.values()) >= roaming


def _first_seen(rows: list[Traffic], place: int) -> dict[Label, UnixSeconds]:
    seen: dict[Label, UnixSeconds] = {}
    for row in rows:
        label = row.labels[place]
        seen[label] = min(seen.get(label, row.first_at), row.first_at)
    return seen
