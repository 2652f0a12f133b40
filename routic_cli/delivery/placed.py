"""What a place on this machine holds now: the only way to read a secret again."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from routic_cli.delivery.dotenv_text import read_variables
from routic_cli.delivery.regular_file import read_regular, resolved
from routic_cli.delivery.sink import KEYRING
from routic_cli.domain.errors import DeliveryError, UnsafeDestinationError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import Secret


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


def read_secret(placed: Placed) -> Secret | None:
    """The secret that is there now, whichever it is; None when nothing is, or nothing that can be read."""
    if placed.kind == KEYRING:
        from routic_cli.delivery.keyring_sink import read_keyring_secret

        try:
            return read_keyring_secret(placed.key_id)
        except DeliveryError:
            return None
    try:
        snapshot = read_regular(resolved(Path(placed.location)))
        value = None if snapshot is None else read_variables(snapshot.content).get(placed.variable)
    except (DeliveryError, UnsafeDestinationError, OSError):
        return None
    return Secret(value) if value else None
