"""The table of the admin API: method, path, who may, what answers. The server and its OpenAPI page are made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from routic_cli.domain.keys import Scope
from routic_cli.server import account_admin, admin, usage_admin
from routic_cli.server.requests import AdminRequest
from routic_cli.transport.wire.objects import JsonObject

PREFIX: Final = "/admin/v1"
_SMALL: Final = 1 << 20
_LARGE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. A credential needs any one of `scopes`; with none, the handler itself decides.

    `largest` is how many bytes of body are read.
    """

    method: str
    path: str
    scopes: tuple[Scope, ...]
    answer: Callable[[AdminRequest], JsonObject]
    largest: int = _SMALL

    @property
    def operation(self) -> str:
        """Its name, unique in the table."""
        return self.answer.__name__


_READ, _WRITE, _REVOKE = (Scope.KEYS_READ,), (Scope.KEYS_WRITE,), (Scope.KEYS_REVOKE,)
_SEE, _REPORT = (Scope.USAGE_READ,), (Scope.USAGE_WRITE,)

ROUTES: Final = (
    Route("GET", "/keys", (), admin.list_keys),
    Route("POST", "/keys", _WRITE, admin.mint_key),
    Route("POST", "/keys/import", _WRITE, admin.import_keys, _LARGE),
    Route("POST", "/keys/revoke", _REVOKE, admin.revoke_keys, _LARGE),
    Route("POST", "/keys/verify", (), admin.verify_key),
    Route("POST", "/keys/verify/batch", admin.READING, admin.verify_keys, _LARGE),
    Route("GET", "/keys/{id}", admin.READING, admin.show_key),
    Route("PUT", "/keys/{id}", _WRITE, admin.register_key),
    Route("PATCH", "/keys/{id}", _WRITE, admin.change_key),
    Route("POST", "/keys/{id}/revoke", _REVOKE, admin.revoke_key),
    Route("PUT", "/keys/{id}/versions/{n}", _WRITE, admin.add_version),
    Route("PATCH", "/keys/{id}/versions/{n}", _WRITE, admin.end_version),
    Route("DELETE", "/keys/{id}/versions/{n}", _WRITE, admin.delete_version),
    Route("GET", "/usage", _SEE, usage_admin.list_usage),
    Route("POST", "/usage", _REPORT, usage_admin.append_usage, _LARGE),
    Route("DELETE", "/usage", (Scope.ADMIN,), usage_admin.prune_usage),
    Route("GET", "/usage/summary", _SEE, usage_admin.summarize_usage),
    Route("GET", "/usage/audit", _SEE, usage_admin.audit_usage),
    Route("GET", "/account", (Scope.KEYS_READ, Scope.USAGE_READ), account_admin.show_account),
    Route("PATCH", "/account", (Scope.ADMIN,), account_admin.change_account),
    Route("GET", "/trail", _READ, admin.list_trail),
)
