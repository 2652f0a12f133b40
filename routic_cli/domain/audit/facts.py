"""What a rule may ask: the keys, and the log's counts. It never sees the events themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from routic_cli.domain.audit.findings import AuditQuery
from routic_cli.domain.keys import Key, KeyId, UnixSeconds
from routic_cli.domain.traffic import LastUse, Strangers, Traffic, TrafficQuery


class Facts(Protocol):
    """The store and its log at one moment, for one account. What is asked twice is looked up once."""

    @property
    def query(self) -> AuditQuery:
        """What to look at."""

    @property
    def now(self) -> UnixSeconds:
        """The moment."""

    @property
    def keys(self) -> Sequence[Key]:
        """Every key that the audit is about, live or not."""

    @property
    def all_keys(self) -> Sequence[Key]:
        """Every key of the account, also those that the audit is not about."""

    def traffic(self, query: TrafficQuery) -> Sequence[Traffic]:
        """Calls counted by what they have in common."""

    def strangers(
        self, *, since: UnixSeconds, until: UnixSeconds, least: int, apart: bool = True
    ) -> Sequence[Strangers]:
        """The callers that tried at least so many keys which no store knows, or all of them as one."""

    def last_use(self, key_id: KeyId) -> LastUse | None:
        """When a key was let in last, with any of its versions."""

    @property
    def log_began(self) -> UnixSeconds | None:
        """The first moment that the log tells of; None for an empty one."""
