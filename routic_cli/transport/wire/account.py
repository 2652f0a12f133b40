"""An account as JSON and back. Amounts are texts: no reader of JSON may round them."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.accounts import Account, AccountChanges, amount_text, parse_amount
from routic_cli.domain.keys import UNSET, KeyStatus, Unset
from routic_cli.transport.wire.fields import Fields
from routic_cli.transport.wire.objects import JsonObject, counts_object

ACCOUNT_FIELDS: Final = ("object", "name", "currency", "balance", "balance_set_at", "spent", "keys")


def account_object(account: Account) -> JsonObject:
    """GET /account: `balance` is what is left now, null where none was set; `spent` is all that calls have cost."""
    return {
        "object": "account",
        "name": account.name,
        "currency": account.currency,
        "balance": None if account.balance is None else amount_text(account.balance),
        "balance_set_at": account.set_at,
        "spent": amount_text(account.spent),
        "keys": counts_object(account.keys),
    }


def account_from(data: object) -> Account:
    """What a server says of the credential's account."""
    fields = Fields(data, "The account")
    counts = Fields(fields.mapping("keys"), "The counts")
    balance = fields.text_or_none("balance")
    return Account(
        name=fields.text("name"),
        currency=fields.text("currency"),
        balance=None if balance is None else parse_amount(balance, "balance"),
        spent=parse_amount(fields.text("spent"), "spent"),
        set_at=fields.integer_or_none("balance_set_at"),
        keys={status: number for status in KeyStatus if (number := counts.integer(status.value))},
    )


def account_changes_body(changes: AccountChanges) -> JsonObject:
    """PATCH /account: null clears, absent keeps."""
    body: JsonObject = {}
    if not isinstance(changes.balance, Unset):
        body["balance"] = None if changes.balance is None else amount_text(changes.balance)
    if not isinstance(changes.currency, Unset):
        body["currency"] = changes.currency
    return body


def account_changes_from(data: object) -> AccountChanges:
    """The changes that a PATCH asks for."""
    fields = Fields(data)
    balance: int | Unset | None = UNSET
    if "balance" in fields:
        text = fields.text_or_none("balance")
        balance = None if text is None else parse_amount(text, "balance")
    changes = AccountChanges(balance, fields.text("currency") if "currency" in fields else UNSET)
    fields.end()
    return changes
