"""What a key's calls have now that its own history never had. Two rules ask it: of networks, and of programs."""

from __future__ import annotations

from collections.abc import Iterator
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


def news(facts: Facts, dimension: Dimension, roaming: int) -> Iterator[News]:
    """For each key with a history, what is new of the dimension.

    A key that met `roaming` new labels or more in the later half of its history is left out: it always meets new ones.
    """
    place = _PLACES[dimension]
    now = window(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    before = baseline(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    found: list[tuple[Key, set[Label], int]] = []
    for key in established(facts):
        seen = _first_seen(before[key.id], place)
        begun = min(seen.values())
        half = max(begun + (facts.query.since - begun) // 2, begun + DAY_SECONDS)
        if sum(first_at > half for first_at in seen.values()) >= roaming:
            continue
        if new := {row.labels[place] for row in now.get(key.id, ())} - seen.keys():
            found.append((key, new, len(seen)))
    by_address = callers(facts, [key.id for key, *_ in found], dimension, outcomes=LET_IN)
    for key, new, known in found:
        yield News(key, [row for row in by_address[key.id] if row.labels[2] in new], known)


def _first_seen(rows: list[Traffic], place: int) -> dict[Label, UnixSeconds]:
    seen: dict[Label, UnixSeconds] = {}
    for row in rows:
        label = row.labels[place]
        seen[label] = min(seen.get(label, row.first_at), row.first_at)
    return seen
