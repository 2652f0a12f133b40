"""What a destination of a secret can do. A new destination is one class with these methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from routic_cli.domain.secret import Fingerprint, Secret

STDOUT: Final = "stdout"
ENV_FILE: Final = "env_file"
KEYRING: Final = "keyring"

DEFAULT_VARIABLE: Final = "ROUTIC_API_KEY"


@dataclass(frozen=True, slots=True)
class Placement:
    """A place on this machine where routic put a secret.

    `kind` is the sink's; `location` an absolute path or an entry's name; `variable` the name it has there.
    """

    kind: str
    location: str
    variable: str


class Sink(Protocol):
    """A destination: prepare puts the secret there durably without replacing anything, commit makes it count.

    Every method may raise DeliveryError or UnsafeDestinationError. `undo` takes back what `prepare` and `commit` did
    as far as that can be done, and may be called at any time and twice.
    """

    kind: str

    def preflight(self) -> None:
        """Whether a secret can be put here at all. Writes nothing; collects warnings in `notices`."""

    @property
    def notices(self) -> list[str]:
        """What the user should know of the place, in sentences; filled by preflight and commit."""

    def record(self) -> Mapping[str, str]:
        """What recovery needs to know after a crash, decided before anything is written; never a secret."""

    def prepare(self, secret: Secret) -> None:
        """Put the secret down durably, replacing nothing."""

    def commit(self) -> object:
        """Make it count, after the store has registered the key."""

    def placement(self) -> Placement | None:
        """Where the secret is once it is committed; None for a place that cannot be asked again."""

    def undo(self) -> None:
        """Take back what was prepared or committed."""

    def holds(self, sha256: Fingerprint) -> bool:
        """Whether the committed place holds the secret with this fingerprint now."""
