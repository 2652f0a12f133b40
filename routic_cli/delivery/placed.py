"""What a place on this machine holds now: the only way to read a secret again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from routic_cli.delivery.dotenv_text import read_variables
from routic_cli.delivery.regular_file import read_regular, resolved
from routic_cli.delivery.sink import KEYRING, Placement
from routic_cli.domain.errors import DeliveryError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import Fingerprint, Secret


class Placed(Protocol):
    """Where a version of a key was put."""

    @property
    def kind(self) -> str:
        """The sink's kind."""

    @property
    def location(self) -> str:
        """An absolute path, or an entry's name."""

    @property
    def variable(self) -> str:
        """The variable in a file."""

    @property
    def key_id(self) -> KeyId:
        """Whose secret it is."""


def read_place(place: Placement) -> Secret | None:
    """The same for a place alone; a keyring's location has the key's id in it."""
    key_id = KeyId(place.location.rpartition(":")[2])
    return read_secret(_Named(place.kind, place.location, place.variable, key_id))


class _Named(NamedTuple):
    kind: str
    location: str
    variable: str
    key_id: KeyId


def read_secret(placed: Placed, *, expected: Fingerprint | None = None) -> Secret | None:
    """The secret that is there now, whichever it is; None when the file, the variable or the entry is not there.

    DeliveryError or UnsafeDestinationError when the place cannot be read: a keyring that is locked, a file that is
    another's. Where a secret is expected and stands there as routic writes it, it is known by its hash, and nothing is
    parsed: python-dotenv takes longer to import than `export` may take.
    """
    if placed.kind == KEYRING:
        from routic_cli.delivery.keyring_sink import read_keyring_secret

        return read_keyring_secret(placed.key_id)
    try:
        path = Path(placed.location)
        snapshot = read_regular(resolved(path)) if path.exists() else None
    except OSError as error:
        raise DeliveryError(f"{placed.location} could not be read", why=error.strerror or "") from error
    if snapshot is None:
        return None
    plain = _plain_value(snapshot.content, placed.variable)
    if plain is not None and plain.fingerprint == expected:
        return plain
    value = read_variables(snapshot.content, name=placed.location).get(placed.variable)
    return Secret(value) if value else None


def _plain_value(content: bytes, variable: str) -> Secret | None:
    """What the last line that sets the variable without quotes has behind its `=`."""
    last = None
    for line in content.splitlines():
        name, equals, value = line.removeprefix(b"export ").partition(b"=")
        if equals and name == variable.encode() and value.isascii():
            last = value
    return Secret(last.decode()) if last else None
