"""Events of a usage log: written beside a store, read back whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from routic_cli.domain.keys import DEFAULT_ACCOUNT, KeyId
from routic_cli.domain.traffic import EventQuery
from routic_cli.domain.usage import EventMark, UsageEvent
from routic_cli.paths import usage_log_beside
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


def record(key_store: Path, *events: UsageEvent, account: str = DEFAULT_ACCOUNT) -> Path:
    """Append events of an account to the log beside a store; where the log is."""
    path = usage_log_beside(key_store)
    with closing(UsageStore(path)) as store:
        store.append([event._replace(account=account) for event in events])
    return path


def call_of(key_id: str, at: int, *, version: int = 1, **fields: Any) -> UsageEvent:
    """A call that was let in."""
    event = UsageEvent(at, "allowed", "POST", "/v1/models", 200, "192.0.2.7", "curl/8.5.0", "r")
    return event._replace(key_id=KeyId(key_id), version=version, **fields)
