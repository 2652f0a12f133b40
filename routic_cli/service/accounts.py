"""The rules of an account over its store and the log of what its calls have cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from routic_cli.domain.accounts import Account, AccountChanges, Ledger, amount_text, checked_changes
from routic_cli.domain.keys import KeyQuery, KeyStatus, UnixSeconds, Unset
from routic_cli.store.interface import Store, TrailEntry


def account_of(store: Store, now: UnixSeconds) -> Account:
    """The account with what is left of its balance. An error when the log of costs cannot be read."""
    spent = store.usage.spent(store.account)
    with store.reading(now) as view:
        return _shown(store.account, view.ledger(), spent, view.tally(KeyQuery()))


def change_account(store: Store, changes: AccountChanges, now: UnixSeconds, actor: str) -> Account:
    """Set a balance, from which all that is spent from now on is taken; or the currency, which converts nothing."""
    changes = checked_changes(changes)
    # Before the transaction: a cost that arrives in between is taken off the new balance, and none is lost.
    spent = store.usage.spent(store.account)
    with store.writing(now) as tx:
        before = tx.ledger()
        after = before
        if not isinstance(changes.currency, Unset):
            after = replace(after, currency=changes.currency)
        if not isinstance(changes.balance, Unset):
            set_at = None if changes.balance is None else now
            after = replace(after, balance=changes.balance, spent=spent, set_at=set_at)
        if not isinstance(changes.balance, Unset) or after != before:
            tx.set_ledger(after)
            tx.add_trail([TrailEntry(now, actor, "account.changed", None, _differences(before, after, spent))])
        return _shown(store.account, after, spent, tx.tally(KeyQuery()))


def _shown(name: str, ledger: Ledger, spent: int, keys: Mapping[KeyStatus, int]) -> Account:
    return Account(name, ledger.currency, ledger.balance_after(spent), spent, ledger.set_at, keys)


def _differences(before: Ledger, after: Ledger, spent: int) -> dict[str, object]:
    pairs = {
        "balance": (_text(before.balance_after(spent)), _text(after.balance_after(spent))),
        "currency": (before.currency, after.currency),
    }
    return {field: [old, new] for field, (old, new) in pairs.items() if old != new}


def _text(amount: int | None) -> str | None:
    return None if amount is None else amount_text(amount)
