"""The admin API of an account: the credential's own, and no other."""

from __future__ import annotations

from routic_cli.server.requests import AdminRequest
from routic_cli.transport.wire.account import account_changes_from, account_object
from routic_cli.transport.wire.objects import JsonObject


def show_account(request: AdminRequest) -> JsonObject:
    """GET /account."""
    request.asked.end()
    return account_object(request.service.account())


def change_account(request: AdminRequest) -> JsonObject:
    """PATCH /account: null clears, absent keeps."""
    return account_object(request.service.change_account(account_changes_from(request.body)))
