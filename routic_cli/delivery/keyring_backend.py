"""The keyring of the operating system: the only importer of `keyring`, and what it takes to trust one.

Errors never repeat what a backend says while it handles a secret: the secret may be part of it.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from routic_cli.delivery.keyring_watchdog import CallFailedError, Watchdog
from routic_cli.domain.errors import DeliveryError, DeliveryTimeoutError, RouticError, UnsafeDestinationError
from routic_cli.domain.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

CALL_SECONDS: Final = 3.0
"""How long a keyring that nobody has to unlock may take. A Secret Service that hangs would take for ever."""

UNLOCK_SECONDS: Final = 60.0
"""How long it may take where somebody sits who can type the keyring's password."""

FILE_INSTEAD: Final = "--env-file PATH in place of --keyring"

_ENVIRONMENT: Final = "PYTHON_KEYRING_BACKEND"
# Named, so that `keyring` does not look through every installed distribution for backends (90 ms), some of them plain.
_BACKENDS: Final = {
    "darwin": "keyring.backends.macOS.Keyring",
    "win32": "keyring.backends.Windows.WinVaultKeyring",
}
_ELSEWHERE: Final = "keyring.backends.SecretService.Keyring"
_LEAST_PRIORITY: Final = 1  # what `keyring` itself recommends; encrypted or not, files have less


class Keyring:
    """One entry of the keyring at a time, under a watchdog.

    Every method raises UnsafeDestinationError for a backend that keeps secrets in plain text, DeliveryTimeoutError
    when the keyring is silent for `timeout` seconds, and DeliveryError for every other trouble. `waiting` is called
    when a call that may take longer than three seconds does. `instead` is what a remedy proposes to do without it.
    """

    def __init__(
        self,
        *,
        timeout: float = CALL_SECONDS,
        waiting: Callable[[], None] = lambda: None,
        instead: str = FILE_INSTEAD,
    ) -> None:
        self._watchdog = Watchdog(timeout, waiting=waiting)
        self._instead = instead
        self._backend: KeyringBackend | None = None
        self._mend = ""  # how to come by another backend, which depends on who chose this one

    def get(self, service: str, name: str) -> Secret | None:
        """What the entry holds; None when there is none."""
        text = self._call(lambda backend: backend.get_password(service, name))
        return Secret(text) if text else None

    def set(self, service: str, name: str, secret: Secret) -> None:
        """Make or replace the entry, and read it back."""

        def put(backend: KeyringBackend) -> bool:
            backend.set_password(service, name, secret.reveal())
            kept = backend.get_password(service, name)
            return kept is not None and Secret(kept) == secret

        if not self._call(put):
            raise DeliveryError(
                "The keyring did not keep what it was given",
                why=f"{self._name} reads back something else",
                remedy=self._instead,
            )

    def delete(self, service: str, name: str) -> None:
        """Remove the entry. That there is none is fine."""

        def remove(backend: KeyringBackend) -> bool:
            # The backends differ in what they raise for an entry that is not there: see whether it is.
            with suppress(Exception):
                backend.delete_password(service, name)
            return backend.get_password(service, name) is None

        if not self._call(remove):
            raise DeliveryError(
                f"The keyring still has the entry {service}:{name}", why=f"{self._name} was told to delete it"
            )

    @property
    def _name(self) -> str:
        return "The backend" if self._backend is None else _name_of(self._backend)

    def _call(self, work: Callable[[KeyringBackend], T]) -> T:
        backend = self._loaded()
        try:
            return self._watchdog.run(lambda: work(backend))
        except TimeoutError:
            silent = True
        except CallFailedError as failure:
            silent, error = False, failure.error
        # Below, and not in the handlers: an error raised there would carry the backend's own as its context.
        if silent:
            self._give_up_waiting()
        raise self._failed(error)

    def _loaded(self) -> KeyringBackend:
        if self._backend is None:
            try:
                self._backend = self._watchdog.run(self._load)
            except TimeoutError:
                self._give_up_waiting()
            except CallFailedError as failure:
                if isinstance(failure.error, RouticError):
                    raise failure.error from None
                # No secret is near yet, and what it says is the only clue.
                raise self._unusable(failure.error) from None
        return self._backend

    def _load(self) -> KeyringBackend:
        from keyring import core

        backend = self._configured()
        if backend is None:
            backend = core.load_keyring(_BACKENDS.get(sys.platform, _ELSEWHERE))
        self._judge(backend)
        return backend

    def _configured(self) -> KeyringBackend | None:
        """What the user told `keyring` to use, in the order in which it looks itself."""
        from keyring import core
        from keyring.util.platform_ import config_root

        if named := os.environ.get(_ENVIRONMENT):
            self._mend = f"unset {_ENVIRONMENT}"
            return core.load_keyring(named)
        self._mend = f"${{EDITOR:-vi}} {shlex.quote(str(config_root() / 'keyringrc.cfg'))}"
        backend = core.load_config()
        if backend is None:
            self._mend = "" if sys.platform in _BACKENDS else "gnome-keyring-daemon --unlock, in a D-Bus session"
        return backend

    def _judge(self, backend: KeyringBackend) -> None:
        from keyring.backends.chainer import ChainerBackend

        priority = backend.priority
        if priority <= 0:
            raise DeliveryError(
                "The keyring is switched off", why=f"{_name_of(backend)} stores nothing", remedy=self._remedy()
            )
        if priority < _LEAST_PRIORITY:
            raise UnsafeDestinationError(
                f"The keyring backend {_name_of(backend)} is no safe place for a key",
                why=f"Its priority is {priority:g}; below {_LEAST_PRIORITY} are those that keep secrets in plain files",
                remedy=self._remedy(),
            )
        if isinstance(backend, ChainerBackend):
            for link in backend.backends:
                self._judge(link)

    def _unusable(self, error: BaseException) -> DeliveryError:
        said = (str(error).splitlines() or [""])[0]
        return DeliveryError(
            "There is no keyring that can be used", why=said or type(error).__name__, remedy=self._remedy()
        )

    def _remedy(self) -> str:
        return f"{self._mend}; or {self._instead}" if self._mend else self._instead

    def _give_up_waiting(self) -> NoReturn:
        raise DeliveryTimeoutError(
            "The keyring does not answer",
            why=f"It has been asked for {self._watchdog.timeout:g} s, and may be waiting for somebody to unlock it",
            remedy=f"unlock it and try again; or {self._instead}",
        ) from None

    def _failed(self, error: BaseException) -> DeliveryError:
        from keyring.errors import InitError, KeyringLocked

        if isinstance(error, KeyringLocked):
            return DeliveryError(
                "The keyring is locked",
                why="Nobody has unlocked it",
                remedy=f"unlock it and try again; or {self._instead}",
            )
        if isinstance(error, InitError):
            why = "It cannot be opened, or has no collection to keep entries in"
        else:
            why = f"{self._name} raised {type(error).__name__}"
        return DeliveryError("The keyring failed", why=why, remedy=self._remedy())


def _name_of(backend: KeyringBackend) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"
