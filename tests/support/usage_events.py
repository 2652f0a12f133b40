"""Events of a usage log, read back whole."""

from __future__ import annotations

from routic_cli.domain.traffic import EventQuery
from routic_cli.domain.usage import EventMark, UsageEvent
from routic_cli.store.usage import UsageStore


def all_events(store: UsageStore) -> list[UsageEvent]:
    """Every event in the order of its time, page by page, without the identity that the store drew."""
    found: list[UsageEvent] = []
    after = None
    while True:
        page = store.events(EventQuery(after=after, limit=700))
        found += page.events
        if not page.has_more:
            return [event._replace(identity=None) for event in found]
        last = page.events[-1]
        after = EventMark(last.time, last.identity or 0)
