"""The sink that puts a secret into the keyring of the operating system, first under a provisional name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Self

from routic_cli.delivery.keyring_backend import Keyring
from routic_cli.delivery.sink import KEYRING, Placement
from routic_cli.domain.errors import DeliveryError, RouticError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import Fingerprint, Secret

SERVICE: Final = "routic"


class KeyringSink:
    """The keyring's entry of one key. Its user name is the key's id; until commit, the id with `#` and the version.

    `nothing_happened` is said of errors before registration. Of a sink made by `from_record`, undo removes what was
    prepared only: the secret that a commit replaced was in the memory of the process that crashed.
    """

    kind = KEYRING

    def __init__(
        self,
        key_id: KeyId,
        number: int,
        *,
        nothing_happened: str = "No key was created",
        backend: Keyring | None = None,
    ) -> None:
        self._key_id = key_id
        self._number = number
        self._nothing_happened = nothing_happened
        self._keyring = backend or Keyring()
        self._notices: list[str] = []
        self._begun = False
        self._committed = False
        self._expected: Fingerprint | None = None
        # What commit replaced, and what it wrote; only then does undo touch the final entry.
        self._previous: Secret | None = None
        self._written: Fingerprint | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, str], *, backend: Keyring | None = None) -> Self:
        """The sink of a process that crashed, to be committed, undone, or asked what it holds."""
        sink = cls(KeyId(record["key_id"]), int(record["number"]), nothing_happened="", backend=backend)
        sink._begun = True
        return sink

    @property
    def notices(self) -> list[str]:
        """What the user should know of the entry, in sentences; filled by undo."""
        return self._notices

    def placement(self) -> Placement:
        """Where the secret is, or will be."""
        return Placement(self.kind, f"{SERVICE}:{self._key_id}", "")

    def preflight(self) -> None:
        """UnsafeDestinationError or DeliveryError unless the keyring answers and is unlocked. Writes no entry."""
        with self._telling(self._nothing_happened):
            self._keyring.get(SERVICE, self._provisional)

    def record(self) -> Mapping[str, str]:
        """Enough to finish or undo after a crash; never the secret."""
        return {"kind": self.kind, "key_id": self._key_id, "number": str(self._number)}

    def prepare(self, secret: Secret) -> None:
        """Put the secret into the provisional entry, and read it back."""
        with self._telling(self._nothing_happened):
            self._begun = True  # before: a keyring that falls silent may yet have taken it
            self._keyring.set(SERVICE, self._provisional, secret)
            self._expected = secret.fingerprint

    def commit(self) -> None:
        """Copy the provisional entry to the final one, and remove it."""
        if self._committed:
            return
        with self._telling(self._nothing_happened):
            secret = self._keyring.get(SERVICE, self._provisional)
            if secret is None or self._expected not in {None, secret.fingerprint}:
                raise DeliveryError(f"What was prepared in the keyring as {self._provisional} is no longer there")
            self._previous = self._keyring.get(SERVICE, self._key_id)
            self._written = secret.fingerprint
            self._keyring.set(SERVICE, self._key_id, secret)
            self._keyring.delete(SERVICE, self._provisional)
        self._committed = True

    def undo(self) -> None:
        """Remove the provisional entry; after a commit by this process, put the previous secret back."""
        if not self._begun:
            return
        with self._telling(""):
            if self._written is not None:
                self._put_back(self._written)
            self._keyring.delete(SERVICE, self._provisional)
        self._begun = self._committed = False

    def holds(self, sha256: Fingerprint) -> bool:
        """Whether the final entry has the secret with this fingerprint now."""
        with self._telling(""):
            secret = self._keyring.get(SERVICE, self._key_id)
        return secret is not None and secret.fingerprint == sha256

    @property
    def _provisional(self) -> str:
        return f"{self._key_id}#{self._number}"

    def _put_back(self, written: Fingerprint) -> None:
        now = self._keyring.get(SERVICE, self._key_id)
        if now is not None and now.fingerprint == written:
            if self._previous is None:
                self._keyring.delete(SERVICE, self._key_id)
            else:
                self._keyring.set(SERVICE, self._key_id, self._previous)
        elif now != self._previous:
            self._notices.append(
                f"{SERVICE}:{self._key_id} in the keyring was changed by another program since, "
                "and has been left as it is"
            )
        self._previous = self._written = None

    @contextmanager
    def _telling(self, not_done: str) -> Iterator[None]:
        """Complete every error with what did not happen."""
        try:
            yield
        except RouticError as error:
            error.not_done = error.not_done or not_done
            raise


def read_keyring_secret(key_id: KeyId, *, backend: Keyring | None = None) -> Secret | None:
    """The secret that the keyring has of a key; None when it has none. DeliveryError when it cannot answer."""
    keyring = backend or Keyring(instead=f"routic rotate {key_id} --env-file PATH")
    return keyring.get(SERVICE, key_id)
