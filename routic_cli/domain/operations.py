"""What a machine remembers of deliveries: those that are open, and where the secrets went. Never a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.domain.secret import Fingerprint


@dataclass(frozen=True, slots=True)
class Operation:
    """A delivery that has begun. `sinks` says what recovery needs to know of each destination.

    Of a rotation, `previous` is the version that it retires, and `grace` for how many seconds that one lives on. Of an
    abort, `previous` is the version that ends, and `until` the end that the one put back had.
    """

    id: str
    store: str
    kind: str
    key_id: KeyId
    number: int
    sha256: Fingerprint
    sinks: Sequence[Mapping[str, str]]
    started_at: UnixSeconds
    previous: int | None = None
    grace: int | None = None
    until: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class PlacedVersion:
    """A version of a key, at a place on this machine. `store` is the URL of the store that knows the key."""

    kind: str
    location: str
    variable: str
    store: str
    key_id: KeyId
    number: int
    sha256: Fingerprint
    placed_at: UnixSeconds
