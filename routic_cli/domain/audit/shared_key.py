"""Several services use one key at the same time: other programs, in other networks, in the same hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import LET_IN, baseline, callers, established, window
from routic_cli.domain.audit.novelty import roams
from routic_cli.domain.audit.wording import addresses_in, counted, finding, named, second_key
from routic_cli.domain.keys import Key
from routic_cli.domain.traffic import Dimension, Label, Traffic

_Pair = tuple[Label, Label]


class _Services(NamedTuple):
    """Which service each network and program is of: whatever occurs together is one."""

    numbers: Mapping[_Pair, int]
    how_many: int


class _Together(NamedTuple):
    """The hours in which several services called, and how many different ones did."""

    hours: Mapping[int, int]
    services: set[int]

    @property
    def most(self) -> int:
        """How many services in one hour, at most."""
        return max(self.hours.values(), default=0)


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key that more services share, for hours together, than its history had."""
    now = window(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    before = baseline(facts, Dimension.NETWORK, Dimension.FAMILY, outcomes=LET_IN)
    services = {
        key.id: _services(row.labels[1:3] for row in (*before[key.id], *now[key.id]))
        for key in established(facts)
        if not roams(facts, before[key.id]) and _services(row.labels[1:3] for row in now.get(key.id, ())).how_many > 1
    }
    suspects = [key for key in facts.keys if key.id in services and services[key.id].how_many > 1]
    if not suspects:
        return
    ids = [key.id for key in suspects]
    by = (Dimension.NETWORK, Dimension.FAMILY, Dimension.HOUR)
    hourly = window(facts, *by, keys=ids, outcomes=LET_IN)
    earlier = baseline(facts, *by, keys=ids, outcomes=LET_IN)
    found: list[tuple[Key, _Together]] = []
    for key in suspects:
        together = _together(hourly[key.id], services[key.id])
        if len(together.hours) < facts.query.policy.shared_hours:
            continue
        history = facts.query.since - min(row.first_at for row in before[key.id])
        if not _is_habit(facts, together, _together(earlier[key.id], services[key.id]), history):
            found.append((key, together))
    addresses = callers(facts, [key.id for key, _ in found], outcomes=LET_IN)
    for key, together in found:
        yield _finding(key, together, services[key.id], now[key.id], addresses[key.id])


def _services(pairs: Iterable[tuple[Label, ...]]) -> _Services:
    """The parts that networks and programs fall into when each call ties its network to its program."""
    known = dict.fromkeys((network, family) for network, family in pairs)
    parents: list[int] = []
    sizes: list[int] = []
    nodes: dict[tuple[str, Label], int] = {}

    def root(kind: str, label: Label) -> int:
        node = nodes.setdefault((kind, label), len(parents))
        if node == len(parents):
            parents.append(node)
            sizes.append(1)
        while parents[node] != node:
            # Callers choose their agents: without shorter ways and the larger part on top, who makes up tens of
            # thousands of them makes a chain as long, and the audit walks it for each.
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    for network, family in known:
        small, large = sorted((root("network", network), root("family", family)), key=sizes.__getitem__)
        if small != large:
            parents[small] = large
            sizes[large] += sizes[small]
    roots = {pair: root("network", pair[0]) for pair in known}
    numbers = {node: number for number, node in enumerate(dict.fromkeys(roots.values()))}
    return _Services({pair: numbers[node] for pair, node in roots.items()}, len(numbers))


def _together(rows: Iterable[Traffic], services: _Services) -> _Together:
    active: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        _, network, family, hour = row.labels
        active[int(str(hour))].add(services.numbers[network, family])
    shared = {hour: numbers for hour, numbers in active.items() if len(numbers) > 1}
    return _Together({hour: len(numbers) for hour, numbers in shared.items()}, set().union(*shared.values()))


def _is_habit(facts: Facts, now: _Together, before: _Together, history: int) -> bool:
    """Whether as many services shared it in the `history` seconds before, half as often or more."""
    length = facts.query.until - facts.query.since
    return before.most >= now.most and 2 * len(before.hours) * length >= len(now.hours) * history


def _finding(
    key: Key, together: _Together, services: _Services, rows: list[Traffic], addresses: list[Traffic]
) -> Finding:
    shares = [row for row in rows if services.numbers[row.labels[1], row.labels[2]] in together.services]
    who = named(
        f"{row.labels[2] or 'no user agent'} in {row.labels[1] or 'no address'}"
        for row in _one_of_each(shares, services)
    )
    hours = counted(len(together.hours), "hour")
    evidence = (
        f"{counted(together.most, 'service')} called with it in the same hour, in {hours}: {who}."
        " Its history does not have that. A key for each can be revoked alone, and tells who calls."
    )
    return finding(
        RuleName.SHARED_KEY,
        Severity.MEDIUM,
        key,
        shares,
        evidence,
        second_key(key),
        addresses=addresses_in(addresses),
    )


def _one_of_each(rows: list[Traffic], services: _Services) -> list[Traffic]:
    """The busiest row of each service, the busiest service first."""
    found: dict[int, Traffic] = {}
    for row in sorted(rows, key=lambda row: -row.calls):
        found.setdefault(services.numbers[row.labels[1], row.labels[2]], row)
    return list(found.values())
