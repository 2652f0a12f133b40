"""Backends for `PYTHON_KEYRING_BACKEND`: one that works, and others that go wrong in one way each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import ClassVar

from keyring.backend import KeyringBackend  # noqa: TID253  # a backend is a subclass; only tests import this


class Memory(KeyringBackend):
    """Keeps entries of all its instances in this process. `before` is called with the name of each operation."""

    priority = 5
    entries: ClassVar[dict[tuple[str, str], str]] = {}
    before: ClassVar[Callable[[str], None]] = lambda _operation: None

    def get_password(self, service: str, username: str) -> str | None:
        type(self).before("get")
        return Memory.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        type(self).before("set")
        Memory.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        type(self).before("delete")
        del Memory.entries[service, username]  # a KeyError when it is not there, as odd as the real ones


class Truncating(Memory):
    """Stores something else than it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:20])


class Undeletable(Memory):
    """Says that it deleted, and did not."""

    def delete_password(self, service: str, username: str) -> None:
        pass


class Hanging(Memory):
    """Never returns."""

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(3600)
        return None


class HangingAtFirst(Memory):
    """Does not even say whether it could be used."""

    @property
    def priority(self) -> float:  # type: ignore[override]  # asked of the instance, where `keyring` asks the class too
        time.sleep(3600)
        return 5


class Gated(Memory):
    """Takes a secret only when somebody opens the gate."""

    gate: ClassVar[threading.Event] = threading.Event()

    def set_password(self, service: str, username: str, password: str) -> None:
        Gated.gate.wait()
        super().set_password(service, username, password)
