"""The admin credential of one origin: where it may be, and what is no credential.

ROUTIC_TOKEN, then the file that ROUTIC_TOKEN_FILE or the profile names, then the keyring of the operating system.
There is no other place, and none in plain text that routic writes.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from routic_cli.config import TOKEN, TOKEN_FILE, Setting
from routic_cli.delivery.keyring_backend import Keyring
from routic_cli.domain.errors import (
    CredentialError,
    DeliveryError,
    InvalidCredentialError,
    MissingCredentialError,
    UnsafeDestinationError,
)
from routic_cli.domain.key_format import is_hint
from routic_cli.domain.secret import Secret
from routic_cli.store_url import RemoteStore

SERVICE: Final = "routic-admin"
"""The keyring's service; the user name of an entry is the origin, scheme and port included."""

IN_KEYRING: Final = "keyring"
_TYPED: Final = "what was given"
OTHERWISE: Final = "ROUTIC_TOKEN_FILE=PATH, or ROUTIC_TOKEN, in place of the keyring"

_LONGEST: Final = 4096
_BY_OTHERS: Final = 0o022
_SCHEMES: Final = ("bearer", "authorization:", "basic", "token")


@dataclass(frozen=True, slots=True)
class Credential:
    """A token, and where it came from: `ROUTIC_TOKEN`, `ROUTIC_TOKEN_FILE`, `profile work`, `keyring`."""

    token: Secret
    source: str


class Credentials:
    """What there is for one store, and for its origin alone: the entry of another is never looked at."""

    def __init__(
        self, store: RemoteStore, environ: Mapping[str, str], token_file: Setting | None, keyring: Callable[[], Keyring]
    ) -> None:
        self._store = store
        self._token = environ.get(TOKEN)
        self._token_file = token_file
        self._keyring = keyring

    def find(self) -> Credential:
        """The credential; MissingCredentialError when there is none, InvalidCredentialError for what is none."""
        if outranking := self.outranking():
            text = self._token if self._token is not None else _content(outranking)
            return Credential(checked_token(text, outranking.source), outranking.source)
        try:
            kept = self.kept()
        except DeliveryError as error:  # no keyring, or none that answers: the same as nothing in it
            raise self._missing(f"{error.what}: {error.why}", error.remedy) from None
        if kept is None:
            raise self._missing("Nor does the keyring have one", f"routic --store {self._store.url} auth login")
        return Credential(checked_token(kept.reveal(), IN_KEYRING), IN_KEYRING)

    def outranking(self) -> Setting | None:
        """What is asked before the keyring, if it is set; of ROUTIC_TOKEN, not its value."""
        return Setting("", TOKEN) if self._token is not None else self._token_file

    def kept(self) -> Secret | None:
        """What the keyring has for the origin."""
        return self._keyring().get(SERVICE, self._store.origin)

    def keep(self, token: Secret) -> None:
        """Put it into the keyring, in place of what is there for the origin."""
        self._keyring().set(SERVICE, self._store.origin, token)

    def forget(self) -> None:
        """Remove it from the keyring. That there is none is fine."""
        self._keyring().delete(SERVICE, self._store.origin)

    def _missing(self, why: str, remedy: str) -> MissingCredentialError:
        return MissingCredentialError(
            f"There is no admin credential for {self._store.origin}",
            why=f"ROUTIC_TOKEN and ROUTIC_TOKEN_FILE are not set. {why}",
            not_done="Nothing was sent",
            remedy=remedy,
        )


def checked_token(text: str, source: str) -> Secret:
    """The token without the white space around it; CredentialError, which does not repeat it, for what is none."""
    text = text.strip()
    if not text:
        raise _no_credential(source, "It is empty", MissingCredentialError)
    if is_hint(text):
        raise _no_credential(source, "It is a hint, not the secret itself")
    if text.partition(" ")[0].lower() in _SCHEMES:
        raise _no_credential(source, f"'{text.partition(' ')[0]}' stands before it; the token alone is wanted")
    if len(text) > _LONGEST:
        raise _no_credential(source, "It is far too long")
    if len(text.split()) > 1:
        raise _no_credential(source, "It has several words or lines; the token alone is wanted")
    if not (text.isascii() and text.isprintable()):
        raise _no_credential(source, "It has characters that no credential has")
    return Secret(text)


def check_typed(token: Secret) -> None:
    """CredentialError for a text, typed or piped in, that is no credential."""
    checked_token(token.reveal(), _TYPED)


def _content(setting: Setting) -> str:
    """The text of the file that the setting names. Links are followed: mounted secrets are links."""
    if not setting.value:
        raise _no_credential(setting.source, "It is empty", MissingCredentialError)
    # Whoever takes the one variable for the other has put the token where a path belongs: only a path is shown.
    named = f"{setting.value}, which {setting.source} names," if os.sep in setting.value else "what it names"
    try:
        # Without blocking: nobody may ever write into a pipe.
        descriptor = os.open(setting.value, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _no_credential(setting.source, f"{named} is no regular file", MissingCredentialError)
            _refuse_others(Path(setting.value), setting.source, status)
            data = file.read(_LONGEST + 1)
    except OSError as error:
        why = f"{named} could not be read: {error.strerror or error}"
        raise _no_credential(setting.source, why, MissingCredentialError) from error
    try:
        return data.decode()
    except UnicodeDecodeError:
        # Not as the cause: it quotes what it could not decode.
        raise _no_credential(setting.source, f"{named} is not UTF-8 text") from None


def _refuse_others(path: Path, source: str, status: os.stat_result) -> None:
    if os.name == "posix" and (status.st_mode & _BY_OTHERS or status.st_uid not in {0, os.geteuid()}):
        raise UnsafeDestinationError(
            f"{path}, which {source} names, is not yours alone to change",
            why=f"Others may write into it (mode {status.st_mode & 0o777:04o}, user {status.st_uid})",
            not_done="It was not read, and nothing was sent",
            remedy=f"chmod 600 {shlex.quote(str(path))}",
        )


def _no_credential(source: str, why: str, kind: type[CredentialError] = InvalidCredentialError) -> CredentialError:
    login = "routic auth login"
    remedies = {TOKEN: f"unset {TOKEN}", TOKEN_FILE: f"unset {TOKEN_FILE}", IN_KEYRING: login, _TYPED: login}
    return kind(
        f"There is no credential in {'the keyring' if source == IN_KEYRING else source}",
        why=why[:1].upper() + why[1:],
        not_done="Nothing was sent",
        remedy=remedies.get(source, "routic config unset token_file"),
    )
