"""What Prometheus is told: decisions, how long they took, and what waits or was lost beside them.

Plain numbers, made into metrics when they are asked for: the library's own counters take locks for each request.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from routic_cli.domain.usage import Outcome
from routic_cli.server.shared_numbers import SharedNumbers

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one server keep their numbers, if there are several."""

_BOUNDS: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 2.5)
_BOUNDS_NS: Final = tuple(round(bound * 1e9) for bound in _BOUNDS)
_NANOSECONDS: Final = 1_000_000_000

_OUTCOMES: Final = {outcome: place for place, outcome in enumerate(Outcome)}
_BUCKETS: Final = len(_OUTCOMES)
_SUM: Final = _BUCKETS + len(_BOUNDS) + 1
_SKIPPED: Final = _SUM + 1
_WATCHED: Final = _SKIPPED + 1
_MOST_WATCHED: Final = 16


class Queue(Protocol):
    """What a batcher knows of itself."""

    @property
    def dropped(self) -> int:
        """How many items found it full."""

    @property
    def written(self) -> int:
        """How many items are where they belong."""

    @property
    def queued(self) -> int:
        """How many items wait."""


class _Watched(NamedTuple):
    """A number that somebody else counts. `is_total`: it only grows, and counts beyond the life of its process."""

    name: str
    text: str
    is_total: bool
    read: Callable[[], int]


class Metrics(Collector):
    """The numbers of one server process; the sums of all workers where PROMETHEUS_MULTIPROC_DIR names a folder.

    What another worker's queues hold may be a second old. A worker that was killed is still in the totals.
    """

    def __init__(self) -> None:
        folder = os.environ.get(FOLDER)
        self._shares = bool(folder)
        self._numbers = SharedNumbers(_WATCHED + _MOST_WATCHED, Path(folder) if folder else None)
        self._own = self._numbers.own
        self._watched: list[_Watched] = []

    def watch(self, prefix: str, what: str, queue: Queue) -> None:
        """Show what becomes of the items of a queue."""
        self.total(f"{prefix}_dropped", f"Dropped {what}: no room, or never to be written", lambda: queue.dropped)
        self.total(f"{prefix}_written", f"Written {what}", lambda: queue.written)
        self._watched.append(_Watched(f"{prefix}_queued", f"Queued {what}", False, lambda: queue.queued))

    def total(self, name: str, text: str, read: Callable[[], int]) -> None:
        """Show a number that somebody else counts up."""
        if self._shares and not self._watched:
            threading.Thread(target=self._tell_others, name="metrics", daemon=True).start()
        self._watched.append(_Watched(name, text, True, read))

    def decided(self, outcome: Outcome, nanoseconds: int) -> None:
        """An answer was given. Of one thread."""
        own = self._own
        own[_OUTCOMES[outcome]] += 1
        own[_BUCKETS + bisect_left(_BOUNDS_NS, nanoseconds)] += 1
        own[_SUM] += nanoseconds

    def limit_skipped(self) -> None:
        """A request passed unlimited because the limits' storage was away."""
        self._own[_SKIPPED] += 1

    def render(self) -> tuple[bytes, str]:
        """The text for Prometheus, and its content type."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """The metrics, as the library asks for them."""
        self._take_over()
        processes = list(self._numbers.of_all())
        totals = [sum(numbers) for numbers in zip(*(numbers for _, numbers in processes), strict=True)]
        now = [sum(numbers) for numbers in zip(*(numbers for lives, numbers in processes if lives), strict=True)]
        yield from _own_metrics(totals)
        for place, (name, text, is_total, _) in enumerate(self._watched, _WATCHED):
            if is_total:
                yield CounterMetricFamily(name, text, value=totals[place])
            else:
                yield GaugeMetricFamily(name, text, value=now[place])

    def _take_over(self) -> None:
        for place, watched in enumerate(self._watched, _WATCHED):
            self._own[place] = watched.read()
        self._numbers.pulse()

    def _tell_others(self) -> None:
        pause = threading.Event()
        while not pause.wait(1):
            self._take_over()


def _own_metrics(totals: Sequence[int]) -> Iterator[Metric]:
    decisions = CounterMetricFamily("routic_auth_decisions", "Answers of /auth", labels=["outcome"])
    for outcome, place in _OUTCOMES.items():
        decisions.add_metric([outcome.value], totals[place])
    yield decisions
    counts = accumulate(totals[_BUCKETS:_SUM])
    buckets = [(str(bound), count) for bound, count in zip((*_BOUNDS, "+Inf"), counts, strict=True)]
    yield HistogramMetricFamily(
        "routic_auth_duration_seconds", "Time to an answer of /auth", buckets, totals[_SUM] / _NANOSECONDS
    )
    yield CounterMetricFamily(
        "routic_rate_limits_skipped",
        "Requests that passed unlimited because the limits' storage was away",
        value=totals[_SKIPPED],
    )
