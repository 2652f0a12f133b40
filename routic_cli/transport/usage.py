"""The part of the transport that is about usage: the same questions to the log beside a file and to an admin API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from routic_cli.domain.audit.findings import AuditQuery, Finding
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.traffic import Appended, EventPage, EventQuery, Summary, TrafficQuery
from routic_cli.domain.usage import UsageEvent


class UsageTransport(Protocol):
    """Everything that can be asked of a usage log, for one account; calls with unknown keys are everybody's."""

    def append(self, events: Sequence[UsageEvent]) -> Appended:
        """Remember events, each of them once: one with an identity may be sent again.

        An event with `sha256` is given the key that has it, and what the store knows of why it was refused; the
        account is always the one that asks. InvalidRequestError for events that can never be stored.
        """

    def events(self, query: EventQuery) -> EventPage:
        """Single events, in the order of their time. Through an admin API they name no account: it is the asker's."""

    def summary(self, query: TrafficQuery) -> Summary:
        """Calls counted by what they have in common, in no order, with the names of the keys among them."""

    def audit(self, query: AuditQuery) -> list[Finding]:
        """What the rules find, the most severe first. KeyNotFoundError for a key that is not there."""

    def prune(self, before: UnixSeconds) -> int:
        """Forget the events of the hours before that time, of the account; how many.

        For the owner of the file those of nobody, too. What keys were used last, and costs, stay.
        """
