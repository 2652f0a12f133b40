"""`routic account show`, and how an account is printed."""

from __future__ import annotations

from typing import Final

import typer

from routic_cli.command_line import session_of
from routic_cli.domain.accounts import Account, amount_text
from routic_cli.domain.keys import KeyStatus
from routic_cli.output.cells import Cell, Span
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_pairs
from routic_cli.output.times import relative
from routic_cli.session import Session
from routic_cli.transport.wire.account import ACCOUNT_FIELDS, account_object

EXAMPLES: Final = """
routic account show
routic account show --fields balance,currency
"""


def run(ctx: typer.Context) -> None:
    """Show the account: what is left of its balance, what its calls have cost, and how many keys it has."""
    session = session_of(ctx)
    session.require_fields(ACCOUNT_FIELDS)
    print_account(session, session.transport.account())


def print_account(session: Session, account: Account) -> None:
    """The account, for a person, for a pipe, or as JSON."""
    if session.wants_json:
        print_json(session.console, account_object(account), session.fields, known=ACCOUNT_FIELDS)
        return
    balance: Cell = "not set"
    if account.balance is not None:
        left = f"{amount_text(account.balance)} {account.currency}"
        set_at = f"  set {relative(account.set_at, session.now())}"
        balance = [Span(left, "bad" if account.balance < 0 else "strong"), Span(set_at, "dim")]
    counts = ", ".join(f"{account.keys.get(status, 0)} {status}" for status in KeyStatus)
    print_pairs(
        session.console,
        [
            ("Name", Span(account.name, "strong")),
            ("Balance", balance),
            ("Spent", f"{amount_text(account.spent)} {account.currency}"),
            ("Keys", counts),
        ],
    )
