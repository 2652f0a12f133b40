"""What a key's calls have now that its own history never had. Two rules ask it: of networks, and of programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.history import DAY_SECONDS, LET_IN, baseline, callers, established, window
from routic_cli.domain.keys import Key, UnixSeconds
from routic_cli.domain.traffic import Dimension, Label, Traffic

_PLACES = {Dimension.NETWORK: 1, Dimension.FAMILY: 2}


class News(NamedTuple):
    """The calls of a key with labels that are new: by key, address and the dimension; and how many labels it had."""

    key: Key
    rows: list[Traffic]
    known: int


def news(facts: Facts, dimension: Dimension) -> Iterator[News]:
    """For each key with a history, what is new of the dimension; not for one that always meets new ones of it."""
    place = _PLACES[dimension]
    now = window(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    before = baseline(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    found: list[tuple[Key, set[Label], int]] = []
    for key in established(facts):
        seen = _first_seen(before[key.id], place)
        if _roams(facts, dimension, seen):
            continue
        if new := {row.labels[place] for row in now.get(key.id, ())} - seen.keys():
            found.append((key, new, len(seen)))
    by_address = callers(facts, [key.id for key, *_ in found], dimension, outcomes=LET_IN)
    for key, new, known in found:
        yield News(key, [row for row in by_address[key.id] if row.labels[2] in new], known)


def roams(facts: Facts, rows: list[Traffic]) -> bool:
    """Whether this history, by network and family, always meets new networks, or new programs."""
    return any(_roams(facts, dimension, _first_seen(rows, place)) for dimension, place in _PLACES.items())


def _roams(facts: Facts, dimension: Dimension, seen: Mapping[Label, UnixSeconds]) -> bool:
    """Whether the later half of the history has so many new ones that one more says nothing."""
    policy = facts.query.policy
    roaming = policy.roaming_networks if dimension is Dimension.NETWORK else policy.roaming_clients
    begun = min(seen.values())
    half = max(begun + (facts.query.since - begun) // 2, begun + DAY_SECONDS)
    return sum(first_at > half for first_at in seen.values()) >= roaming


def _first_seen(rows: list[Traffic], place: int) -> dict[Label, UnixSeconds]:
    seen: dict[Label, UnixSeconds] = {}
    for row in rows:
        label = row.labels[place]
        seen[label] = min(seen.get(label, row.first_at), row.first_at)
    return seen
