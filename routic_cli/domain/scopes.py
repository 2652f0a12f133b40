"""Who may do what, and who may let others do it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from routic_cli.domain.errors import InsufficientScopeError
from routic_cli.domain.keys import KeyId, Scope, UnixSeconds


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that asks something of the admin API: whose it is and what it may do.

    `retiring` says that the version that asks has an end, because a later one has taken its place.
    """

    key_id: KeyId
    name: str
    account: str
    scopes: Collection[Scope]
    retiring: bool = False

    def may(self, scope: Scope) -> bool:
        """Whether it holds the scope; `admin` is all of them."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require_any(self, scopes: Iterable[Scope]) -> None:
        """InsufficientScopeError unless it holds one of the scopes."""
        wanted = list(scopes)
        if not any(self.may(scope) for scope in wanted):
            raise InsufficientScopeError(
                f"The credential '{self.name}' lacks the scope {' or '.join(wanted)}",
                why=f"It holds: {', '.join(sorted(self.scopes))}",
                not_done="Nothing was done",
                remedy=f"routic keys create --name NAME --scope {wanted[0]}, with a credential that holds it",
            )

    def require_account(self, account: str) -> None:
        """InsufficientScopeError when it is another account's than the one that is meant."""
        if account != self.account:
            raise InsufficientScopeError(
                f"The credential '{self.name}' is of another account than the one that is meant",
                why=f"It is of '{self.account}', and ROUTIC_ACCOUNT or the profile names '{account}'",
                not_done="Nothing was done",
                remedy=f"routic config set account {self.account}, or another credential",
                param="account",
            )

    def require_not_its_own(self, key_id: KeyId) -> None:
        """InsufficientScopeError for a retiring secret that changes its own key: a rotation gets rid of a thief."""
        if self.retiring and key_id == self.key_id:
            raise InsufficientScopeError(
                f"This version of the credential '{self.name}' is retiring, and does not change its own key",
                why="A later version has taken its place",
                not_done="Nothing was done",
                remedy="the same command with the current version",
            )

    def require_no_extension(self, key_id: KeyId, end: UnixSeconds | None, at: UnixSeconds | None) -> None:
        """InsufficientScopeError when it would give its own key, which ends at `end`, a later end or none."""
        if key_id == self.key_id and end is not None and (at is None or at > end):
            raise InsufficientScopeError(
                f"The credential '{self.name}' may not extend its own life",
                why="Who gave it an end meant that it ends",
                not_done="Nothing was done",
                remedy="the same command with another credential, or on the server's own store",
                param="expires_at",
            )

    def require_grantable(self, scopes: Iterable[Scope]) -> None:
        """InsufficientScopeError when it does not hold each of the scopes: nobody can grant what he has not."""
        beyond = sorted(scope for scope in scopes if not self.may(scope))
        if beyond:
            raise InsufficientScopeError(
                f"The credential '{self.name}' may not touch a key with the scope {', '.join(beyond)}",
                why=f"A credential grants no scope that it does not hold itself; it holds: "
                f"{', '.join(sorted(self.scopes))}",
                not_done="Nothing was done",
                remedy="the same command with a credential that holds it",
                param="scopes",
            )
