"""The rules of usage over a log and a store of keys. This *is* the usage part of the local transport."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from routic_cli.domain.audit.findings import AuditQuery, Finding
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import Key, KeyId, UnixSeconds
from routic_cli.domain.lifecycle import ended_at
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.traffic import Appended, Dimension, EventPage, EventQuery, Summary, TrafficQuery
from routic_cli.domain.usage import Outcome, UsageEvent
from routic_cli.service.audit import audit
from routic_cli.store.interface import Holder, Store, StoreReader

_REFUSED: frozenset[str] = frozenset({Outcome.REFUSED, Outcome.UNKNOWN, Outcome.MALFORMED})
# A key that was minted elsewhere may look malformed to whoever only reads a log.


@dataclass(frozen=True, slots=True)
class UsageService:
    """A UsageTransport over the store of an account's keys and the log beside it.

    `owns_log` is who has the file itself: he alone may forget the calls with unknown keys, which every account needs.
    """

    store: Store
    clock: Callable[[], UnixSeconds]
    owns_log: bool = True

    def append(self, events: Sequence[UsageEvent]) -> Appended:
        """Remember events, each with the key that its fingerprint belongs to."""
        with self.store.reading(self.clock()) as view:
            recognised = _Recognition(view, self.store.account)
            found = [recognised.event(event) for event in events]
        try:
            return self.store.usage.append(found)
        except ValueError as error:
            raise InvalidRequestError(f"{error}", not_done="No event of this batch was stored") from None

    def events(self, query: EventQuery) -> EventPage:
        """Single events, in the order of their time."""
        return self.store.usage.events(query, account=self.store.account)

    def summary(self, query: TrafficQuery) -> Summary:
        """Calls counted by what they have in common, with the names of the keys among them."""
        rows = self.store.usage.traffic(query, account=self.store.account)
        names: dict[KeyId, str] = {}
        if Dimension.KEY in query.by:
            place = query.by.index(Dimension.KEY)
            ids = {KeyId(str(row.labels[place])) for row in rows if row.labels[place] is not None}
            with self.store.reading(self.clock()) as view:
                names = {key.id: key.name for key in map(view.key, sorted(ids)) if key is not None}
        return Summary(tuple(rows), names)

    def audit(self, query: AuditQuery) -> list[Finding]:
        """What the rules find, the most severe first."""
        return audit(self.store, query, self.clock())

    def prune(self, before: UnixSeconds) -> int:
        """Forget the events of the hours before that time; how many."""
        return self.store.usage.prune(before, account=self.store.account, nobodys=self.owns_log)


class _Recognition:
    """Whose key each event was made with, as the store knows it now; each fingerprint is looked up once."""

    def __init__(self, view: StoreReader, account: str) -> None:
        self._view = view
        self._account = account
        self._holders: dict[Fingerprint, Holder | None] = {}
        self._owned: dict[KeyId, bool] = {}

    def event(self, event: UsageEvent) -> UsageEvent:
        """The event as it is stored: of this account, with its key, without the fingerprint of one that is known."""
        # Made anew from its parts, once: of all that happens to a line of a log, `_replace` would take the longest.
        (
            time, outcome, method, path, status, address, agent, request_id, flags, key_id, version, sha256, account,
            origin, tokens_in, tokens_out, cost, model, identity,
        ) = event  # fmt: skip
        account = self._account
        if sha256 is not None:
            holder = self._holder(sha256)
            if holder is None:
                key_id = version = account = None
                outcome = Outcome.UNKNOWN if outcome == Outcome.REFUSED else outcome
            else:
                key_id, version, sha256 = holder.key.id, holder.number, None
                outcome = _why(event, holder) if outcome in _REFUSED else outcome
        elif key_id is None:
            version = account = None
        elif not self._is_ours(key_id):
            # Of another store, or of another account: nobody here may write into that one's history.
            key_id = version = None
        if account is None:
            tokens_in = tokens_out = cost = None  # of nobody, who has no balance, and whom all accounts see
        return UsageEvent(
            time, outcome, method, path, status, address, agent, request_id, flags, key_id, version, sha256, account,
            origin, tokens_in, tokens_out, cost, model, identity,
        )  # fmt: skip

    def _holder(self, sha256: Fingerprint) -> Holder | None:
        """Who has the key, of this account; the keys of others are as unknown as those of nobody."""
        if sha256 not in self._holders:
            holder = self._view.key_of_version(sha256)
            self._holders[sha256] = holder if holder is not None and holder.account == self._account else None
        return self._holders[sha256]

    def _is_ours(self, key_id: KeyId) -> bool:
        if key_id not in self._owned:
            self._owned[key_id] = self._view.key(key_id) is not None
        return self._owned[key_id]


def _why(event: UsageEvent, holder: Holder) -> str:
    """Why a key that the store knows was refused at that time, as far as the store can tell."""
    key, at = holder.key, event.time
    if key.revoked_at is not None and key.revoked_at <= at:
        return Outcome.REVOKED
    if _has_ended(key, at):
        return Outcome.EXPIRED
    version = next(version for version in key.versions if version.number == holder.number)
    if version.expires_at is not None and version.expires_at <= at:
        return Outcome.REPLACED
    return Outcome.REFUSED


def _has_ended(key: Key, at: UnixSeconds) -> bool:
    end = ended_at(key)
    return end is not None and end <= at
