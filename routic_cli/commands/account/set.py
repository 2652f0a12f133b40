"""`routic account set`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.account.show import print_account
from routic_cli.domain.accounts import AccountChanges, checked_changes, parse_amount
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import UNSET, Unset
from routic_cli.transport.wire.account import ACCOUNT_FIELDS

EXAMPLES: Final = """
routic account set --balance 25.00
routic account set --currency EUR
routic account set --balance none
"""

_NONE: Final = "none"


def run(
    ctx: typer.Context,
    balance: Annotated[
        str | None,
        typer.Option("--balance", metavar="AMOUNT", help="What is left now, such as 25.00; none for no balance."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="Of all amounts, such as EUR; converts nothing.")
    ] = None,
) -> None:
    """Set the balance that the keys of the account share, or the currency of its amounts.

    What calls cost from now on is taken off the balance, as their cost arrives in the usage log. A balance below zero
    is shown as it is, and keeps no key out.
    """
    session = session_of(ctx)
    session.require_fields(ACCOUNT_FIELDS)
    if balance is None and currency is None:
        raise InvalidRequestError(
            "Nothing is to be set",
            not_done="Nothing was changed",
            remedy="routic account set --balance 25.00, or --currency EUR",
        )
    changes = checked_changes(AccountChanges(_balance(balance), UNSET if currency is None else currency.upper()))
    account = session.changing_transport.change_account(changes)
    session.console.success(f"The account '{account.name}' is changed")
    print_account(session, account)


def _balance(text: str | None) -> int | Unset | None:
    if text is None:
        return UNSET
    return None if text == _NONE else parse_amount(text, "balance")
