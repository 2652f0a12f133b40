"""What Prometheus is told: decisions, how long they took, and what waits or was lost beside them."""

from __future__ import annotations

import os
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from routic_cli.domain.usage import Outcome

_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 2.5)


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


class Metrics:
    """The numbers of one server process; of all workers together where PROMETHEUS_MULTIPROC_DIR names a folder.

    That variable must be set before this module is imported: the library looks at it then.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        decisions = Counter("routic_auth_decisions", "Answers of /auth", ["outcome"], registry=self.registry)
        self._decided = {outcome: decisions.labels(outcome.value).inc for outcome in Outcome}
        self._took = Histogram(
            "routic_auth_duration_seconds", "Time to an answer of /auth", buckets=_SECONDS, registry=self.registry
        ).observe
        self.limit_skipped = Counter(
            "routic_rate_limits_skipped",
            "Requests that passed unlimited because the limits' storage was away",
            registry=self.registry,
        ).inc
        self._queues: list[tuple[Queue, _QueueGauges]] = []

    def watch(self, prefix: str, what: str, queue: Queue) -> None:
        """Show what becomes of the items of a queue."""
        self._queues.append((queue, _QueueGauges(prefix, what, self.registry)))

    def decided(self, outcome: Outcome, seconds: float) -> None:
        """An answer was given."""
        self._decided[outcome]()
        self._took(seconds)

    def render(self) -> tuple[bytes, str]:
        """The text for Prometheus, and its content type."""
        for queue, gauges in self._queues:
            gauges.show(queue)
        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's
        return generate_latest(registry), CONTENT_TYPE_LATEST


class _QueueGauges:
    """The numbers of one queue. Of several workers, each tells its own when it is asked."""

    def __init__(self, prefix: str, what: str, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"{prefix}_{name}", text, registry=registry, multiprocess_mode="livesum")

        self._dropped = gauge("dropped_total", f"Dropped {what}: the queue was full")
        self._written = gauge("written_total", f"Written {what}")
        self._queued = gauge("queued", f"Queued {what}")

    def show(self, queue: Queue) -> None:
        """Take the numbers over."""
        self._dropped.set(queue.dropped)
        self._written.set(queue.written)
        self._queued.set(queue.queued)
