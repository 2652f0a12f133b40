"""The usage part of the remote transport: what a log behind an admin API is asked and given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from json import dumps
from random import getrandbits
from typing import Final, TypeVar

from routic_cli.domain.audit.findings import AuditQuery, Finding
from routic_cli.domain.errors import OutcomeUnknownError, RouticError, TooManyRowsError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.traffic import Appended, EventPage, EventQuery, Summary, TrafficQuery
from routic_cli.domain.usage import UsageEvent
from routic_cli.transport.exchange import Exchange, Question
from routic_cli.transport.wire.objects import JsonObject
from routic_cli.transport.wire.usage import (
    MOST_EVENTS,
    appended_from,
    event_object,
    events_body,
    findings_from,
    page_of_events_from,
    pruned_from,
    summary_from,
)
from routic_cli.transport.wire.usage_queries import (
    audit_parameters,
    event_parameters,
    prune_parameters,
    traffic_parameters,
)

T = TypeVar("T")

USAGE: Final = "/admin/v1/usage"
_BATCH_SECONDS: Final = 120.0
_QUESTION_SECONDS: Final = 600.0
"""A month of a busy gateway is counted anew for each question; the server says nothing until it has the answer."""

_LARGEST_BATCH: Final = 8 << 20
"""In bytes; the server takes twice that."""
_RANDOM_BITS: Final = 43
_ARRIVALS: Final = 1 << 20


class RemoteUsage:
    """A UsageTransport over the admin API at the other end of `exchange`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._count = 0

    def append(self, events: Sequence[UsageEvent]) -> Appended:
        """Remember events, each of them once, so many at a time as a request takes.

        Where an attempt was lost and another answered, `known` may count events that the lost one brought.
        """
        new = known = 0
        for batch in _batches(event_object(self._sendable(event)) for event in events):
            try:
                appended = self._append(batch)
            except RouticError as error:
                raise _with_what_came_before(error, new + known, len(events)) from error
            new, known = new + appended.new, known + appended.known
        return Appended(new, known)

    def events(self, query: EventQuery) -> EventPage:
        """Single events, in the order of their time; at most as many as a reply has."""
        if query.key_ids == ():
            return EventPage((), has_more=False)
        return self._ask(Question("GET", USAGE, event_parameters(query)), page_of_events_from)

    def summary(self, query: TrafficQuery) -> Summary:
        """Calls counted by what they have in common, with the names of the keys among them."""
        if () in (query.key_ids, query.outcomes):
            return Summary((), {})
        question = Question("GET", f"{USAGE}/summary", traffic_parameters(query), seconds=_QUESTION_SECONDS, works=True)
        try:
            return self._ask(question, lambda data: summary_from(data, query.by))
        except TooManyRowsError as error:
            # The server names the parameters of its address, which nobody typed here.
            error.param, error.remedy = None, "the same command for a shorter time (--since), or for fewer keys"
            raise

    def audit(self, query: AuditQuery) -> list[Finding]:
        """What the rules of the server find, the most severe first."""
        question = Question("GET", f"{USAGE}/audit", audit_parameters(query), seconds=_QUESTION_SECONDS, works=True)
        return self._ask(question, findings_from)

    def prune(self, before: UnixSeconds) -> int:
        """Forget the events of the hours before that time; how many."""
        question = Question(
            "DELETE", USAGE, prune_parameters(before), changes=True, seconds=_QUESTION_SECONDS, works=True
        )
        return self._ask(question, pruned_from)

    def _append(self, batch: Sequence[JsonObject]) -> Appended:
        question = Question("POST", USAGE, body=events_body(batch), changes=True, seconds=_BATCH_SECONDS, works=True)
        return self._ask(question, lambda data: appended_from(data, len(batch)))

    def _ask(self, question: Question, read: Callable[[object], T]) -> T:
        return self._exchange.ask(question, read).data

    def _sendable(self, event: UsageEvent) -> UsageEvent:
        """With an identity, so that it may be sent again, and without what is shaped like a key: it must not travel."""
        from routic_cli.store.usage_series import storable

        return event._replace(
            outcome=storable(event.outcome) or "",
            method=storable(event.method) or "",
            path=storable(event.path) or "",
            address=storable(event.address) or "",
            agent=storable(event.agent) or "",
            request_id=storable(event.request_id) or "",
            origin=storable(event.origin),
            model=storable(event.model),
            identity=self._drawn() if event.identity is None else event.identity,
        )

    def _drawn(self) -> int:
        """An identity that nobody else draws in this second, and that keeps the order of arrival."""
        self._count = (self._count + 1) % _ARRIVALS
        return self._count << _RANDOM_BITS | getrandbits(_RANDOM_BITS)


def _batches(items: Iterator[JsonObject]) -> Iterator[list[JsonObject]]:
    """As many at a time as a request takes, in number and in bytes."""
    batch: list[JsonObject] = []
    size = 0
    for item in items:
        length = len(dumps(item)) + 2
        if batch and (len(batch) == MOST_EVENTS or size + length > _LARGEST_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _with_what_came_before(error: RouticError, stored: int, total: int) -> RouticError:
    """The error of a batch, with what holds of all of them. What is asked again counts once."""
    if stored:
        error.not_done = f"{stored} of {total} events are stored, the others are not"
    if isinstance(error, OutcomeUnknownError):
        error.not_done = f"{stored} of {total} events are stored, of some of the others it is not known"
        error.remedy = "the same command again: an event that comes twice counts once"
    return error
