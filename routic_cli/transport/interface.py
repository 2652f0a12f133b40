"""The interface through which every command reaches a store, here or behind an admin API.

The same mistake raises the same error class through each transport; tests/contract/transport_contract.py holds them
to it. Times are unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from routic_cli.domain.accounts import Account, AccountChanges
from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import (
    Key,
    KeyChanges,
    KeyId,
    KeyPage,
    KeyQuery,
    KeyStatus,
    NewKey,
    NewVersion,
    Revocation,
    UnixSeconds,
    Verdict,
)
from routic_cli.domain.secret import Fingerprint
from routic_cli.store.interface import TrailEntry
from routic_cli.transport.usage import UsageTransport


@dataclass(frozen=True, slots=True)
class Registration:
    """What came of one key of a batch: the key and whether it is new, or the error that kept it out."""

    key: Key | None
    created: bool = False
    error: RouticError | None = None


class Transport(Protocol):
    """Everything that can be asked of a store of keys. UnavailableError from each when it cannot be reached."""

    @property
    def usage(self) -> UsageTransport:
        """What can be asked of the log of their usage."""

    def register(self, new: NewKey) -> Key:
        """Make a key valid. The same id and hash again is success.

        NameTakenError; KeyExistsError for a known id with another hash, or a known hash; KeyGoneError for an id that
        was revoked or given up; InvalidRequestError.
        """

    def register_many(self, news: Sequence[NewKey]) -> list[Registration]:
        """Make many keys valid in one transaction; one result each, in their order. Bad ones keep no others out."""

    def find(self, ref: str) -> Key:
        """The key by its name, its id or a unique beginning of its id. KeyNotFoundError, AmbiguousRefError.

        A name means the live key that has it, else the key that lost it last.
        """

    def page(self, query: KeyQuery) -> KeyPage:
        """Some keys, in the query's order."""

    def tally(self, query: KeyQuery) -> Mapping[KeyStatus, int]:
        """How many keys of each status meet the query's other conditions."""

    def change(self, key_id: KeyId, changes: KeyChanges) -> Key:
        """Change what the owner decides of a key. KeyNotFoundError, NameTakenError, KeyGoneError when revoked."""

    def add_version(self, key_id: KeyId, version: NewVersion) -> Key:
        """Register the next secret of a key; the previous one is untouched. Repeatable like `register`."""

    def end_version(self, key_id: KeyId, number: int, at: UnixSeconds | None) -> Key:
        """Set when a version ends; None lets it live on."""

    def give_up(self, key_id: KeyId, number: int, sha256: Fingerprint) -> None:
        """Call a version dead that was never delivered, whether or not it was ever registered. Repeatable.

        Leaves a tombstone, so that a registration that was held up somewhere cannot bring it to life. A key whose
        first version is given up is revoked. A version of that number with another hash is somebody else's, and stays.
        """

    def revoke(self, targets: Sequence[KeyId | Fingerprint], reason: str | None) -> list[Revocation]:
        """End keys at once and for good; one result each, in their order. A key revoked before is no error."""

    def verify(self, sha256: Fingerprint) -> Verdict:
        """Whether the secret with this fingerprint would be let in now."""

    def verify_many(self, hashes: Sequence[Fingerprint]) -> list[Verdict]:
        """The same of many, at one moment; one verdict each, in their order."""

    def account(self) -> Account:
        """The account whose keys they are, with what is left of its balance."""

    def change_account(self, changes: AccountChanges) -> Account:
        """Set its balance, as of now, or its currency. InvalidRequestError."""

    def trail(self, *, limit: int, before: int | None = None) -> list[TrailEntry]:
        """The latest changes, or the latest with a number below `before`; the newest first."""

    def require_writable(self) -> None:
        """UnavailableError and its kin when no change could be stored now. Changes nothing."""

    def check(self) -> list[str]:
        """What is wrong with the store itself, in its own words; nothing, when it is sound."""

    def close(self) -> None:
        """Let go of files and connections."""
