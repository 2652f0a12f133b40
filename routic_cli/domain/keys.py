"""A key, its versions, and what may be asked of many keys.

Times are whole unix seconds everywhere below the output room: one representation from the row to the wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final, NewType

from routic_cli.domain.secret import Fingerprint

KeyId = NewType("KeyId", str)
UnixSeconds = int

KEY_ID_PREFIX: Final = "key_"
KEY_ID_LENGTH: Final = 16
KEY_ID_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_KEY_ID: Final = re.compile(rf"{KEY_ID_PREFIX}[{KEY_ID_ALPHABET}]{{{KEY_ID_LENGTH}}}")

DEFAULT_ACCOUNT: Final = "default"


class KeyStatus(StrEnum):
    """Whether the gateway lets the key in."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class VersionStatus(StrEnum):
    """Whether the gateway lets this secret of the key in."""

    CURRENT = "current"
    RETIRING = "retiring"
    ENDED = "ended"


class Scope(StrEnum):
    """What a key may do. `admin` is all of them."""

    API = "api"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    KEYS_REVOKE = "keys:revoke"
    USAGE_READ = "usage:read"
    USAGE_WRITE = "usage:write"
    ADMIN = "admin"


DEFAULT_SCOPES: Final = (Scope.API,)


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One secret of a key. `expires_at` is the end of its own life, set when a later version replaces it."""

    number: int
    sha256: Fingerprint
    hint: str
    created_at: UnixSeconds
    expires_at: UnixSeconds | None = None
    last_used_at: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a store is told of a secret: never the secret."""

    number: int
    sha256: Fingerprint
    hint: str
    created_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class KeyTraits:
    """What the owner decides of a key, and rotation leaves alone."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[Scope, ...] = DEFAULT_SCOPES
    rpm: int | None = None
    expires_at: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is registered: an id chosen by the client, its traits, and its first version."""

    id: KeyId
    traits: KeyTraits
    version: NewVersion


@dataclass(frozen=True, slots=True)
class Key:
    """A key as a store knows it, with its status at the moment it was read.

    `usage_since` is since when the usage log would know of a use; None where nothing is known. A key without a last
    use that was created after that was never used, as far as the log goes.
    """

    id: KeyId
    traits: KeyTraits
    status: KeyStatus
    versions: tuple[KeyVersion, ...]
    created_at: UnixSeconds
    last_used_at: UnixSeconds | None = None
    revoked_at: UnixSeconds | None = None
    revoke_reason: str | None = None
    usage_since: UnixSeconds | None = None

    @property
    def name(self) -> str:
        """The name, unique among the live keys of its account."""
        return self.traits.name

    @property
    def current(self) -> KeyVersion:
        """The newest version that no end was set for; the newest of all when each has one."""
        return next((v for v in reversed(self.versions) if v.expires_at is None), self.versions[-1])

    @property
    def hint(self) -> str:
        """The mask of the current version."""
        return self.current.hint


class Unset(Enum):
    """The mark of a field that a change leaves alone, where None clears it."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """What to change of a key: UNSET keeps, None clears. A tag whose value is None is removed; no mapping, all are."""

    name: str | Unset = UNSET
    expires_at: UnixSeconds | Unset | None = UNSET
    rpm: int | Unset | None = UNSET
    tags: Mapping[str, str | None] | None = field(default_factory=dict)


class SortField(StrEnum):
    """What `keys list --sort` takes; a leading `-` turns the order round."""

    NAME = "name"
    CREATED_AT = "created_at"
    EXPIRES_AT = "expires_at"
    LAST_USED_AT = "last_used_at"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """Which keys, in which order, which page. Every condition given must hold.

    `unused_since`: created before then, and not let in since. A younger key had no time to be used.
    """

    status: KeyStatus | None = None
    name_glob: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    unused_since: UnixSeconds | None = None
    expires_before: UnixSeconds | None = None
    sort: SortField = SortField.NAME
    descending: bool = False
    after: KeyId | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some keys of an answer, in its order; `has_more` when there are others behind the last."""

    keys: tuple[Key, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Revocation:
    """What came of one target of a revocation, a key id or a fingerprint.

    `key` is None when no key answers to it; `changed` is False when the key was revoked before.
    """

    target: str
    key: Key | None
    changed: bool


class VerdictStatus(StrEnum):
    """What a store says of a fingerprint."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a secret would be let in, and whose it is."""

    status: VerdictStatus
    key: Key | None = None
    version: int | None = None
    elsewhere: VerdictStatus | None = field(default=None, compare=False)
    """What it is in another account of a store on this machine, and not whose; a server does not say that."""


def is_key_id(text: str) -> bool:
    """Whether the text is a whole key id."""
    return _KEY_ID.fullmatch(text) is not None


def is_key_id_prefix(text: str) -> bool:
    """Whether the text is the beginning of a key id."""
    rest = text.removeprefix(KEY_ID_PREFIX)
    return rest != text and len(rest) <= KEY_ID_LENGTH and all(c in KEY_ID_ALPHABET for c in rest)
