"""Who an admin credential is: its key, asked of the store with the credential itself."""

from __future__ import annotations

from dataclasses import dataclass

from routic_cli.domain.errors import InvalidCredentialError
from routic_cli.domain.keys import Key, Scope, UnixSeconds
from routic_cli.domain.secret import Secret
from routic_cli.transport.interface import Transport


@dataclass(frozen=True, slots=True)
class Identity:
    """The key of a credential, and which of its versions the credential is."""

    key: Key
    version: int

    @property
    def ends_at(self) -> UnixSeconds | None:
        """When it is let in no more: the end of its key, or of its version in a rotation."""
        version_end = next((v.expires_at for v in self.key.versions if v.number == self.version), None)
        return min((at for at in (self.key.traits.expires_at, version_end) if at is not None), default=None)

    @property
    def may_administer(self) -> bool:
        """Whether it may do anything here but call the gateway."""
        return any(scope is not Scope.API for scope in self.key.traits.scopes)


def identify(transport: Transport, token: Secret) -> Identity:
    """Whose credential it is. `transport` asks as its holder; CredentialError when it is refused."""
    verdict = transport.verify(token.fingerprint)
    if verdict.key is None or verdict.version is None:
        raise InvalidCredentialError(
            "The server let the credential in and does not know it",
            why="Something before it answers in its place, perhaps",
            not_done="Nothing was done",
            remedy="routic config get store",
        )
    return Identity(verdict.key, verdict.version)
