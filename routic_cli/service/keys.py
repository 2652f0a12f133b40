"""The rules of keys over a store. This *is* the local transport; a server offers the same over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from routic_cli.domain.accounts import Account, AccountChanges
from routic_cli.domain.errors import (
    InvalidRequestError,
    KeyNotFoundError,
    RouticError,
)
from routic_cli.domain.keys import (
    UNSET,
    Key,
    KeyChanges,
    KeyId,
    KeyPage,
    KeyQuery,
    KeyStatus,
    KeyTraits,
    NewKey,
    NewVersion,
    Revocation,
    UnixSeconds,
    Verdict,
    VerdictStatus,
    is_key_id,
)
from routic_cli.domain.lifecycle import key_from_new, verdict_status
from routic_cli.domain.rules import (
    checked_key,
    checked_moment,
    checked_query,
    checked_reason,
    checked_traits,
    checked_version,
    require_future,
)
from routic_cli.domain.secret import Fingerprint, is_fingerprint
from routic_cli.domain.version_ends import alive, changes_end
from routic_cli.service.last_use import UseRecord
from routic_cli.service.references import resolve
from routic_cli.service.registration import (
    Batch,
    gone,
    known_registration,
    refuse_taken_name,
    refuse_version,
)
from routic_cli.store.interface import Store, StoreReader, TrailEntry
from routic_cli.transport.interface import Registration
from routic_cli.transport.usage import UsageTransport

NEVER_DELIVERED = "never delivered"


class KeyService:
    """A Transport over a Store. `clock` gives unix seconds; `actor` is who the audit trail names.

    `trouble` hears of a usage log that cannot be read, where the keys can be shown all the same.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], UnixSeconds],
        actor: str,
        trouble: Callable[[RouticError], None] | None = None,
        owns_log: bool = True,
    ) -> None:
        self._store = store
        self._clock = clock
        self._actor = actor
        self._uses = UseRecord(store, trouble)
        self._owns_log = owns_log

    @property
    def usage(self) -> UsageTransport:
        """What the log beside the store can be asked."""
        from routic_cli.service.usage import UsageService

        return UsageService(self._store, self._clock, self._owns_log)

    def register(self, new: NewKey) -> Key:
        """Make a key valid; the same id and hash again is success."""
        new = checked_key(new)
        now = self._clock()
        with self._store.writing(now) as tx:
            known = known_registration(tx, new)
            if known is not None:
                return known
            require_future(new.traits.expires_at, now, "expires_at")
            refuse_taken_name(tx, new.traits, now)
            tx.insert_keys([new])
            tx.add_trail([self._entry(now, "key.created", new.id, name=new.traits.name, sha256=new.version.sha256)])
        return key_from_new(new, now)

    def register_many(self, news: Sequence[NewKey]) -> list[Registration]:
        """Make many keys valid in one transaction; one result each. A secret that is here already is no error."""
        now = self._clock()
        results: list[Registration] = []
        accepted: list[NewKey] = []
        with self._store.writing(now) as tx:
            batch = Batch(tx, news, now)
            for new in news:
                try:
                    checked = checked_key(new)
                    known = batch.known(checked)
                    if known is None:
                        batch.accept(checked)
                        accepted.append(checked)
                except RouticError as error:
                    results.append(Registration(None, error=error))
                else:
                    key = key_from_new(checked, now) if known is None else known
                    results.append(Registration(key, created=known is None))
            tx.insert_keys(accepted)
            tx.add_trail(
                [
                    self._entry(now, "key.imported", new.id, name=new.traits.name, sha256=new.version.sha256)
                    for new in accepted
                ]
            )
        return results

    def find(self, ref: str) -> Key:
        """The key by its name, its id or a unique beginning of its id."""
        with self._store.reading(self._clock()) as view:
            key = resolve(view, ref)
        return self._uses.shown_one(key)

    def page(self, query: KeyQuery) -> KeyPage:
        """Some keys, in the query's order."""
        last_used = self._uses.asked_by(query)
        with self._store.reading(self._clock()) as view:
            page = view.page(checked_query(query), last_used)
        return KeyPage(tuple(self._uses.shown(page.keys)), page.has_more)

    def tally(self, query: KeyQuery) -> Mapping[KeyStatus, int]:
        """How many keys of each status meet the query's other conditions."""
        last_used = self._uses.asked_by(query)
        with self._store.reading(self._clock()) as view:
            return view.tally(checked_query(query), last_used)

    def change(self, key_id: KeyId, changes: KeyChanges) -> Key:
        """Change what the owner decides of a key."""
        now = self._clock()
        with self._store.writing(now) as tx:
            key = _existing(tx, key_id)
            if key.status is KeyStatus.REVOKED:
                raise gone(key, "No change was made")
            traits = checked_traits(_changed(key.traits, changes))
            if traits == key.traits:
                return self._uses.shown_one(key)
            if traits.expires_at != key.traits.expires_at:
                require_future(traits.expires_at, now, "expires_at")
            if traits.name != key.name or key.status is KeyStatus.EXPIRED:
                refuse_taken_name(tx, traits, now)
            tx.set_traits(key_id, traits)
            tx.add_trail([self._entry(now, "key.changed", key_id, **_differences(key.traits, traits))])
            key = _existing(tx, key_id)
        return self._uses.shown_one(key)

    def add_version(self, key_id: KeyId, version: NewVersion) -> Key:
        """Register the next secret of a key; the previous one is untouched."""
        now = self._clock()
        with self._store.writing(now) as tx:
            key = _existing(tx, key_id)
            if key.status is not KeyStatus.ACTIVE:
                raise gone(key, "No version was registered")
            same = next((v for v in key.versions if v.number == version.number), None)
            if same is not None and same.sha256 == version.sha256:
                return self._uses.shown_one(key)
            refuse_version(tx, key, checked_version(version))
            tx.insert_version(key_id, version)
            tx.add_trail([self._entry(now, "version.created", key_id, version=version.number, sha256=version.sha256)])
            key = _existing(tx, key_id)
        return self._uses.shown_one(key)

    def end_version(self, key_id: KeyId, number: int, at: UnixSeconds | None) -> Key:
        """Set when a version ends; None lets it live on. What has ended stays ended (domain/version_ends.py)."""
        now = self._clock()
        with self._store.writing(now) as tx:
            key = _existing(tx, key_id)
            if key.status is KeyStatus.REVOKED:
                raise gone(key, "No version was changed")
            version = next((v for v in key.versions if v.number == number), None)
            if version is None:
                raise KeyNotFoundError(f"The key '{key.name}' has no version {number}", param="version")
            if not changes_end(key, version, checked_moment(at, "expires_at"), now):
                return self._uses.shown_one(key)
            tx.end_version(key_id, number, at)
            tx.add_trail([self._entry(now, "version.ended", key_id, version=number, expires_at=at)])
            key = _existing(tx, key_id)
        return self._uses.shown_one(key)

    def give_up(self, key_id: KeyId, number: int, sha256: Fingerprint) -> None:
        """Call a version dead that was never delivered, whether or not it was ever registered.

        The version before it lives on; a key that no other version is let in of is revoked.
        """
        if not is_key_id(key_id) or number < 1 or not is_fingerprint(sha256):
            raise InvalidRequestError("A version is given up by its key's whole id, its number and its SHA-256")
        now = self._clock()
        with self._store.writing(now) as tx:
            if tx.is_given_up(key_id, number, sha256):
                return
            tx.add_tombstone(key_id, number, sha256, now)
            key = tx.key(key_id)
            # Another hash under this number is another rotation's, which was faster and is in somebody's hands.
            if key is not None and any(v.number == number and v.sha256 == sha256 for v in key.versions):
                others = [v for v in key.versions if v.number != number]
                heir = next((v for v in reversed(others) if alive(v, now)), None)
                if heir is not None:
                    tx.delete_version(key_id, number)
                    if all(v.expires_at is not None for v in others):  # its rotation is undone, or nobody is let in
                        tx.end_version(key_id, heir.number, None)
                elif key.status is not KeyStatus.REVOKED:
                    tx.set_revoked([key_id], now, NEVER_DELIVERED)
            tx.add_trail([self._entry(now, "version.given_up", key_id, version=number, sha256=sha256)])

    def revoke(self, targets: Sequence[KeyId | Fingerprint], reason: str | None) -> list[Revocation]:
        """End keys at once and for good; one result each."""
        reason = checked_reason(reason)
        now = self._clock()
        with self._store.writing(now) as tx:
            found = [(target, _key_of_target(tx, target)) for target in targets]
            live = {key.id: key for _, key in found if key is not None and key.status is not KeyStatus.REVOKED}
            tx.set_revoked(list(live), now, reason)
            tx.add_trail([self._entry(now, "key.revoked", key_id, reason=reason) for key_id in live])
            results = []
            for target, key in found:
                after = tx.key(key.id) if key is not None else None
                # A target named twice changes the key once.
                changed = key is not None and live.pop(key.id, None) is not None
                results.append(Revocation(str(target), after, changed))
        shown = iter(self._uses.shown([each.key for each in results if each.key is not None]))
        return [each if each.key is None else replace(each, key=next(shown)) for each in results]

    def verify(self, sha256: Fingerprint) -> Verdict:
        """Whether the secret with this fingerprint would be let in now."""
        return self.verify_many([sha256])[0]

    def verify_many(self, hashes: Sequence[Fingerprint]) -> list[Verdict]:
        """The same of many, at one moment."""
        now = self._clock()
        with self._store.reading(now) as view:
            known = view.hashes_in_use(hashes)
            verdicts = [_verdict(view, sha256, now) if sha256 in known else _NOBODYS for sha256 in hashes]
        shown = iter(self._uses.shown([each.key for each in verdicts if each.key is not None]))
        return [each if each.key is None else replace(each, key=next(shown)) for each in verdicts]

    def account(self) -> Account:
        """The account whose keys they are, with what is left of its balance."""
        from routic_cli.service.accounts import account_of

        return account_of(self._store, self._clock())

    def change_account(self, changes: AccountChanges) -> Account:
        """Set its balance, as of now, or its currency."""
        from routic_cli.service.accounts import change_account

        return change_account(self._store, changes, self._clock(), self._actor)

    def trail(self, *, limit: int, before: int | None = None) -> list[TrailEntry]:
        """The latest changes, or the latest with a number below `before`; the newest first."""
        with self._store.reading(self._clock()) as view:
            return view.trail(limit=limit, before=before)

    def require_writable(self) -> None:
        """UnavailableError and its kin when no change could be stored now."""
        self._store.require_writable()

    def check(self) -> list[str]:
        """What is wrong with the store itself; nothing, when it is sound."""
        return self._store.check()

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _entry(self, at: UnixSeconds, action: str, key_id: KeyId, **detail: object) -> TrailEntry:
        return TrailEntry(at, self._actor, action, key_id, {k: v for k, v in detail.items() if v is not None})


def _existing(view: StoreReader, key_id: KeyId) -> Key:
    key = view.key(key_id)
    if key is None:
        raise KeyNotFoundError(f"No key has the id '{key_id}'", remedy="routic keys list --all", param="id")
    return key


_NOBODYS: Final = Verdict(VerdictStatus.UNKNOWN)


def _verdict(view: StoreReader, sha256: Fingerprint, now: UnixSeconds) -> Verdict:
    found = view.key_of_version(sha256)
    if found is None:
        return _NOBODYS
    version = next(v for v in found.key.versions if v.number == found.number)
    status = verdict_status(found.key, version, now)
    if view.key(found.key.id) is None:  # another account has it
        return Verdict(VerdictStatus.UNKNOWN, elsewhere=status)
    return Verdict(status, found.key, found.number)


def _key_of_target(view: StoreReader, target: KeyId | Fingerprint) -> Key | None:
    if is_key_id(target):
        return view.key(KeyId(target))
    found = view.key_of_version(Fingerprint(target))
    return view.key(found[0].id) if found else None  # None as well for what another account has


def _changed(traits: KeyTraits, changes: KeyChanges) -> KeyTraits:
    tags = dict(traits.tags) if changes.tags is not None else {}
    for name, value in (changes.tags or {}).items():
        if value is None:
            tags.pop(name, None)
        else:
            tags[name] = value
    return replace(
        traits,
        name=traits.name if changes.name is UNSET else changes.name,
        expires_at=traits.expires_at if changes.expires_at is UNSET else changes.expires_at,
        rpm=traits.rpm if changes.rpm is UNSET else changes.rpm,
        tags=tags,
    )


def _differences(before: KeyTraits, after: KeyTraits) -> dict[str, object]:
    pairs = {
        "name": (before.name, after.name),
        "expires_at": (before.expires_at, after.expires_at),
        "rpm": (before.rpm, after.rpm),
        "tags": (dict(before.tags), dict(after.tags)),
    }
    return {field: [old, new] for field, (old, new) in pairs.items() if old != new}
