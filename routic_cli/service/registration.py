"""What a new key, or a new version of one, may not contradict."""

from __future__ import annotations

from collections.abc import Sequence

from routic_cli.domain.errors import KeyExistsError, KeyGoneError, NameTakenError
from routic_cli.domain.keys import Key, KeyStatus, KeyTraits, NewKey, NewVersion, UnixSeconds
from routic_cli.domain.lifecycle import lives
from routic_cli.domain.secret import Fingerprint
from routic_cli.service.references import resolve
from routic_cli.store.interface import StoreReader


def known_registration(view: StoreReader, new: NewKey) -> Key | None:
    """The key when this very registration has been made before; an error when something contradicts it."""
    not_done = "No key was created"
    if view.is_given_up(new.id, new.version.number, new.version.sha256):
        raise KeyGoneError(
            f"The key {new.id} was given up", why="Its secret was declared dead, and stays so", not_done=not_done
        )
    key = view.key(new.id)
    if key is not None and key.versions[0].sha256 == new.version.sha256:
        if key.status is KeyStatus.REVOKED:
            raise gone(key, not_done)
        return key
    if key is not None or view.ids_in_use([new.id]):
        raise KeyExistsError(f"The id {new.id} is registered with another secret", not_done=not_done)
    refuse_known_secret(view, new.version.sha256, not_done)
    return None


def refuse_version(view: StoreReader, key: Key, version: NewVersion) -> None:
    """An error when the version cannot be the key's next."""
    not_done = "No version was registered"
    if view.is_given_up(key.id, version.number, version.sha256):
        raise KeyGoneError(f"Version {version.number} of '{key.name}' was given up", not_done=not_done)
    if version.number <= key.versions[-1].number:
        raise KeyExistsError(
            f"'{key.name}' has a version {version.number} with another secret",
            why="Another rotation was faster",
            not_done=not_done,
            remedy=f"routic keys show {key.id}",
        )
    refuse_known_secret(view, version.sha256, not_done)


def refuse_known_secret(view: StoreReader, sha256: Fingerprint, not_done: str) -> None:
    """KeyExistsError when a version has this fingerprint; says whose only to the account that has it."""
    found = view.key_of_version(sha256)
    if found is None:
        return
    owner = view.key(found[0].id)
    raise KeyExistsError(
        "This secret is registered already",
        why=f"It belongs to '{owner.name}' ({owner.id}), which is {owner.status}" if owner else "By another account",
        not_done=not_done,
        remedy=f"routic keys show {owner.id}" if owner else "",
    )


def refuse_taken_name(view: StoreReader, traits: KeyTraits, now: UnixSeconds) -> None:
    """NameTakenError when these traits would live beside a live key of the same name."""
    if not lives(traits, now) or traits.name not in view.names_in_use([traits.name]):
        return
    owner = resolve(view, traits.name)
    raise NameTakenError(
        f"The name '{traits.name}' is taken",
        why=f"{owner.id} has it and is {owner.status}",
        not_done="Nothing was stored",
        remedy=f"routic rotate {traits.name}, for a new secret of that key, or another name",
        param="name",
    )


def gone(key: Key, not_done: str) -> KeyGoneError:
    """What is said of a key that is no longer active."""
    return KeyGoneError(
        f"The key '{key.name}' ({key.id}) is {key.status}",
        why="A revoked key is gone for good" if key.status is KeyStatus.REVOKED else "An expired key lets nobody in",
        not_done=not_done,
        remedy="routic keys create --name NAME, for a new key",
    )


class Batch:
    """What many registrations must not collide with: the store, asked once for all of them, and one another."""

    def __init__(self, view: StoreReader, news: Sequence[NewKey], now: UnixSeconds) -> None:
        ids = [new.id for new in news]
        hashes = [new.version.sha256 for new in news]
        self._view = view
        self._now = now
        self._names = view.names_in_use([new.traits.name for new in news])
        self._known_hashes = view.hashes_in_use(hashes)
        self._known_ids = view.ids_in_use(ids) | view.ids_given_up(ids)
        self._accepted_hashes: dict[Fingerprint, str] = {}
        self._accepted_ids: set[str] = set()

    def known(self, new: NewKey) -> Key | None:
        """The key that has this secret already; an error when the id is spoken for."""
        if new.id in self._known_ids:
            return known_registration(self._view, new)
        if new.version.sha256 in self._known_hashes:
            found = self._view.key_of_version(new.version.sha256)
            owner = self._view.key(found[0].id) if found else None
            if owner is None:
                refuse_known_secret(self._view, new.version.sha256, _NOT_IMPORTED)
            return owner
        return None

    def accept(self, new: NewKey) -> None:
        """Let a key into the batch, unless it collides with the store or with one before it."""
        twin = self._accepted_hashes.get(new.version.sha256)
        if twin is not None:
            raise KeyExistsError("This secret comes twice", why=f"'{twin}' has it", not_done=_NOT_IMPORTED)
        if new.id in self._accepted_ids:
            raise KeyExistsError(f"The id {new.id} comes twice, with two secrets", not_done=_NOT_IMPORTED)
        alive = lives(new.traits, self._now)
        if alive and new.traits.name in self._names:
            raise NameTakenError(f"The name '{new.traits.name}' is taken", not_done=_NOT_IMPORTED, param="name")
        self._accepted_hashes[new.version.sha256] = new.traits.name
        self._accepted_ids.add(new.id)
        if alive:
            self._names.add(new.traits.name)


_NOT_IMPORTED = "This key was not imported"
