"""What a store of keys can do. KeyService has the rules; a store only remembers.

A backend is one class with `reading` and `writing`; tests/contract/store_contract.py is what it has to pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from routic_cli.domain.accounts import Ledger
from routic_cli.domain.keys import (
    Key,
    KeyId,
    KeyPage,
    KeyQuery,
    KeyStatus,
    KeyTraits,
    NewKey,
    NewVersion,
    UnixSeconds,
)
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.traffic import (
    Appended,
    EventPage,
    EventQuery,
    LastUse,
    LastUses,
    Strangers,
    Traffic,
    TrafficQuery,
)
from routic_cli.domain.usage import UsageEvent


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One change that was made: who, when, what. `detail` never holds a secret; `key_id` is None for an account's.

    `number` is its place in the trail, counted up from 1 with gaps; None until it is stored.
    """

    at: UnixSeconds
    actor: str
    action: str
    key_id: KeyId | None
    detail: Mapping[str, object]
    number: int | None = field(default=None, compare=False)


class Holder(NamedTuple):
    """Whose secret a fingerprint is: the key, the number of its version, and the account that owns it."""

    key: Key
    number: int
    account: str


LastUsed = Mapping[KeyId, UnixSeconds]
"""When keys were let in last; one that is not among them never was, as far as is known."""

NEVER_USED: Final[LastUsed] = {}


class StoreReader(Protocol):
    """One consistent view of the keys of an account, at one moment."""

    def key(self, key_id: KeyId) -> Key | None:
        """The key with this id."""

    def keys_named(self, name: str) -> list[Key]:
        """Every key that has or had the name, the oldest first."""

    def keys_by_id_prefix(self, prefix: str, limit: int) -> list[Key]:
        """Keys whose id begins so, at most `limit`."""

    def key_of_version(self, sha256: Fingerprint) -> Holder | None:
        """The key that has a version with this fingerprint; in any account."""

    def is_given_up(self, key_id: KeyId, number: int, sha256: Fingerprint) -> bool:
        """Whether a tombstone stands for this secret as this version of this id."""

    def page(self, query: KeyQuery, last_used: LastUsed = NEVER_USED) -> KeyPage:
        """Keys that meet the query. `last_used` is what it asks of their use. KeyNotFoundError for a wrong `after`."""

    def tally(self, query: KeyQuery, last_used: LastUsed = NEVER_USED) -> Mapping[KeyStatus, int]:
        """How many keys of each status meet the query's other conditions; statuses without keys are left out."""

    def names_in_use(self, names: Sequence[str]) -> set[str]:
        """Those of the names that a live key has."""

    def hashes_in_use(self, hashes: Sequence[Fingerprint]) -> set[Fingerprint]:
        """Those of the fingerprints that a version has, in any account."""

    def ids_in_use(self, key_ids: Sequence[KeyId]) -> set[KeyId]:
        """Those of the ids that a key has, in any account."""

    def ids_given_up(self, key_ids: Sequence[KeyId]) -> set[KeyId]:
        """Those of the ids that a tombstone names, whichever version it stands for."""

    def ledger(self) -> Ledger:
        """What is kept of the account's balance; an empty one for an account that nothing was set of."""

    def trail(self, *, limit: int, before: int | None = None) -> list[TrailEntry]:
        """The latest entries of the audit trail, or the latest with a number below `before`; the newest first."""


class StoreWriter(StoreReader, Protocol):
    """One transaction: everything in it is stored when the block ends, or nothing is."""

    def insert_keys(self, keys: Sequence[NewKey]) -> None:
        """Keys that must be new, each with its first version."""

    def insert_version(self, key_id: KeyId, version: NewVersion) -> None:
        """The next version of a key that exists."""

    def delete_version(self, key_id: KeyId, number: int) -> None:
        """Forget a version that never came to anybody's use."""

    def end_version(self, key_id: KeyId, number: int, at: UnixSeconds | None) -> None:
        """Set or clear the end of a version."""

    def set_traits(self, key_id: KeyId, traits: KeyTraits) -> None:
        """Replace what the owner decides of a key."""

    def set_revoked(self, key_ids: Sequence[KeyId], at: UnixSeconds, reason: str | None) -> None:
        """Mark keys as revoked."""

    def add_tombstone(self, key_id: KeyId, number: int, sha256: Fingerprint, at: UnixSeconds) -> None:
        """Let no later registration bring this secret to life as this version of this id. Twice is once."""

    def set_ledger(self, ledger: Ledger) -> None:
        """Replace what is kept of the account's balance."""

    def add_trail(self, entries: Sequence[TrailEntry]) -> None:
        """Append to the audit trail."""


class UsageLog(Protocol):
    """Where usage is remembered. Questions are answered for one account, with the calls of unknown keys; None is all.

    Looking makes nothing: a log that is not there reads as empty.
    """

    def append(self, events: Sequence[UsageEvent]) -> Appended:
        """All of them, or none; one of the same time and identity as one before is known. ValueError for a bad one."""

    def events(self, query: EventQuery, *, account: str | None = None) -> EventPage:
        """Single events, in the order of their time."""

    def traffic(self, query: TrafficQuery, *, account: str | None = None) -> list[Traffic]:
        """Calls counted by what they have in common, in no order."""

    def strangers(
        self,
        *,
        since: UnixSeconds | None = None,
        until: UnixSeconds | None = None,
        least: int = 1,
        apart: bool = True,
    ) -> list[Strangers]:
        """The callers that tried keys which no store knows: at least so many different ones.

        A caller is an address, or the /64 around one of IPv6. Not `apart`, all of them are one, without an address.
        """

    def last_uses(self, key_ids: Iterable[KeyId] | None = None) -> Mapping[tuple[KeyId, int], LastUse]:
        """The last use of each version of these keys, or of all; a version that was never let in is left out."""

    def began(self, *, account: str | None = None) -> UnixSeconds | None:
        """The first moment that the log tells of; None for an empty one."""

    def spent(self, account: str) -> int:
        """What the account's calls have cost since the log began, in billionths; pruning takes nothing off."""

    def prune(self, before: UnixSeconds, *, account: str | None = None, nobodys: bool = True) -> int:
        """Forget the events of the hours before that time, of an account and of nobody; how many. They do not come
        back. Last uses and costs stay."""


class Store(Protocol):
    """Where the keys of an account live, and what is remembered of their usage."""

    @property
    def account(self) -> str:
        """Whose keys they are."""

    @property
    def usage(self) -> UsageLog:
        """What is remembered of their usage."""

    def last_uses(self, key_ids: Iterable[KeyId] | None = None) -> LastUses:
        """What the log tells of the last uses of these keys, or of all: at once, or StoreLockedError and its kin."""

    def reading(self, now: UnixSeconds) -> AbstractContextManager[StoreReader]:
        """A consistent view, with each key's status as of `now`."""

    def writing(self, now: UnixSeconds) -> AbstractContextManager[StoreWriter]:
        """One transaction that no other writer overlaps. Commits at the end of the block, undoes on an exception.

        OutcomeUnknownError when the commit itself failed: it may have happened, so read back before saying anything.
        """

    def require_writable(self) -> None:
        """UnavailableError and its kin when no change could be stored now. Changes nothing."""

    def check(self) -> list[str]:
        """What is wrong with the store itself, in its own words; nothing, when it is sound."""

    def close(self) -> None:
        """Let go of files and connections."""
