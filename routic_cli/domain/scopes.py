"""Who may do what, and who may let others do it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from routic_cli.domain.errors import InsufficientScopeError
from routic_cli.domain.keys import KeyId, Scope


@dataclass(frozen=True, slots=True)
class Credential:
    """A key that asks something of the admin API: whose it is and what it may do."""

    key_id: KeyId
    name: str
    account: str
    scopes: Collection[Scope]

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
