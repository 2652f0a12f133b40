"""From an Authorization header to the credential it carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from routic_cli.domain.errors import ExpiredCredentialError, InvalidCredentialError, MissingCredentialError
from routic_cli.domain.key_format import defect_of, hint_of
from routic_cli.domain.keys import DEFAULT_ACCOUNT, UnixSeconds, VerdictStatus
from routic_cli.domain.lifecycle import verdict_status
from routic_cli.domain.scopes import Credential
from routic_cli.domain.secret import fingerprint_of
from routic_cli.server.services import Services

_NOT_DONE = "Nothing was done"


class Authenticator(Protocol):
    """Tells who asks."""

    def credential(self, headers: Sequence[str]) -> Credential:
        """The credential of a request with these Authorization headers; CredentialError for every other."""


class StoreAuthenticator:
    """Looks the credential up among the keys of the store itself, whichever account has it."""

    def __init__(self, services: Services, clock: Callable[[], UnixSeconds]) -> None:
        self._services = services
        self._clock = clock

    def credential(self, headers: Sequence[str]) -> Credential:
        """The credential of a request with these Authorization headers; CredentialError for every other."""
        token = bearer_token(headers)
        now = self._clock()
        with self._services.store(DEFAULT_ACCOUNT) as store, store.reading(now) as view:
            holder = view.key_of_version(fingerprint_of(token))
        if holder is None:
            defect = defect_of(token)
            raise InvalidCredentialError(
                "The credential is malformed or not copied completely" if defect else "The credential is not known",
                why=f"{hint_of(token)}: {defect}" if defect else f"No key of this store is {hint_of(token)}",
                not_done=_NOT_DONE,
                remedy="routic auth login",
            )
        version = next(v for v in holder.key.versions if v.number == holder.number)
        status = verdict_status(holder.key, version, now)
        if status is not VerdictStatus.ACTIVE:
            raise ExpiredCredentialError(
                f"The credential '{holder.key.name}' is {status}", not_done=_NOT_DONE, remedy="routic auth login"
            )
        retiring = version.expires_at is not None
        return Credential(holder.key.id, holder.key.name, holder.account, holder.key.traits.scopes, retiring)


def bearer_token(headers: Sequence[str]) -> str:
    """The token of the one Authorization header that there has to be."""
    if not headers:
        raise MissingCredentialError(
            "The request has no Authorization header",
            why="The admin API wants 'Authorization: Bearer sk-…'",
            not_done=_NOT_DONE,
            remedy="routic auth login",
        )
    scheme, _, token = headers[0].strip().partition(" ")
    token = token.strip()
    if len(headers) > 1 or scheme.lower() != "bearer" or not token or " " in token or not token.isascii():
        raise InvalidCredentialError(
            "The Authorization header is not 'Bearer' and one key",
            not_done=_NOT_DONE,
            remedy="routic auth login",
        )
    return token
