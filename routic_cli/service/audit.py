"""The audit of an account: the rules of the domain, asked over a store and its log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from routic_cli.domain.audit.findings import AuditQuery, Finding
from routic_cli.domain.audit.rules import RULES
from routic_cli.domain.keys import Key, KeyId, KeyQuery, UnixSeconds
from routic_cli.domain.traffic import LastUse, Strangers, Traffic, TrafficQuery
from routic_cli.service.references import resolve
from routic_cli.store.interface import Store


def audit(store: Store, query: AuditQuery, now: UnixSeconds) -> list[Finding]:
    """What the rules find, the most severe first, then the latest. KeyNotFoundError for a key that is not there."""
    facts = StoreFacts(store, query, now)
    found = [
        finding for name, find in RULES.items() if not query.rules or name in query.rules for finding in find(facts)
    ]
    return sorted(found, key=lambda each: (-each.severity.rank, -(each.last_at or 0)))


class StoreFacts:
    """Facts from a store and the log beside it."""

    def __init__(self, store: Store, query: AuditQuery, now: UnixSeconds) -> None:
        self._store = store
        self.query = query
        self.now = now
        self._asked: dict[TrafficQuery, Sequence[Traffic]] = {}

    @cached_property
    def keys(self) -> Sequence[Key]:
        """Every key that the audit is about, live or not."""
        if not self.query.key_ids:
            return self.all_keys
        with self._store.reading(self.now) as view:
            return [resolve(view, key_id) for key_id in dict.fromkeys(self.query.key_ids)]

    @cached_property
    def all_keys(self) -> Sequence[Key]:
        """Every key of the account, also those that the audit is not about."""
        with self._store.reading(self.now) as view:
            found: list[Key] = []
            after: KeyId | None = None
            while True:
                page = view.page(KeyQuery(after=after))
                found += page.keys
                if not page.has_more:
                    return found
                after = page.keys[-1].id

    def traffic(self, query: TrafficQuery) -> Sequence[Traffic]:
        """Calls counted by what they have in common."""
        if query not in self._asked:
            self._asked[query] = self._store.usage.traffic(query, account=self._store.account)
        return self._asked[query]

    def strangers(
        self, *, since: UnixSeconds, until: UnixSeconds, least: int, apart: bool = True
    ) -> Sequence[Strangers]:
        """The callers that tried at least so many keys which no store knows, or all of them as one."""
        return self._store.usage.strangers(since=since, until=until, least=least, apart=apart)

    @cached_property
    def _last_uses(self) -> dict[KeyId, LastUse]:
        found: dict[KeyId, LastUse] = {}
        for (key_id, _), use in self._store.usage.last_uses().items():
            before = found.get(key_id, LastUse(use.at, 0))
            found[key_id] = LastUse(max(before.at, use.at), before.calls + use.calls)
        return found

    def last_use(self, key_id: KeyId) -> LastUse | None:
        """When a key was let in last, with any of its versions."""
        return self._last_uses.get(key_id)

    @cached_property
    def log_began(self) -> UnixSeconds | None:
        """The first moment that the log tells of; None for an empty one."""
        return self._store.usage.began(account=self._store.account)
