"""An account: what its keys have spent of the balance they share, and amounts of money, which are never floats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from routic_cli.domain.errors import InvalidNameError, InvalidRequestError
from routic_cli.domain.keys import UNSET, KeyStatus, UnixSeconds, Unset
from routic_cli.domain.rules import checked_name
from routic_cli.domain.usage import BILLIONTHS

DEFAULT_CURRENCY: Final = "USD"
"""What spend logs count in, unless an account says otherwise."""

MOST: Final = 9_000_000_000 * BILLIONTHS
"""Of an amount, either way: a balance is kept in billionths, in 64 bits."""

_AMOUNT: Final = re.compile(r"(-?)([0-9]{1,10})(?:\.([0-9]{1,9}))?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_DIGITS: Final = 9
_SHOWN_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a store keeps of an account. `spent` is what had been spent in all when the balance was set.

    Amounts are in billionths; `balance` and `set_at` are None where none was ever set.
    """

    currency: str = DEFAULT_CURRENCY
    balance: int | None = None
    spent: int = 0
    set_at: UnixSeconds | None = None

    def balance_after(self, spent: int) -> int | None:
        """What is left when so much has been spent in all. It may be negative.

        Less than when the balance was set: the log is another one, and all that is in it was spent since.
        """
        if self.balance is None:
            return None
        return self.balance - (spent - self.spent if spent >= self.spent else spent)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is shown: `balance` is what is left now, `spent` what its calls have cost in all."""

    name: str
    currency: str
    balance: int | None
    spent: int
    set_at: UnixSeconds | None
    keys: Mapping[KeyStatus, int]


@dataclass(frozen=True, slots=True)
class AccountChanges:
    """What to change of an account: UNSET keeps; None for `balance` is no balance any more."""

    balance: int | Unset | None = UNSET
    currency: str | Unset = UNSET


def checked_account(text: str, source: str) -> str:
    """The name of an account, by the rules of a key's name; `source` is who names it."""
    try:
        return checked_name(text)
    except InvalidNameError as error:
        raise InvalidNameError(
            "No account can be called so",
            why=f"{source}: {error.what}. {error.why}",
            not_done="Nothing was done",
            param="account",
        ) from None


def checked_changes(changes: AccountChanges) -> AccountChanges:
    """The changes; InvalidRequestError for an amount beyond all bounds, or what is no currency."""
    if isinstance(changes.balance, int) and abs(changes.balance) > MOST:
        raise _no_amount("balance", f"It is at most {MOST // BILLIONTHS:,}")
    if not isinstance(changes.currency, Unset) and _CURRENCY.fullmatch(changes.currency) is None:
        raise InvalidRequestError(
            "'currency' is no code of a currency", why="A code is three letters, such as EUR", param="currency"
        )
    return changes


def parse_amount(text: str, param: str) -> int:
    """Billionths of `25`, `25.00` or `-0.000000001`; InvalidRequestError for any other way to write a number."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise _no_amount(param, "It is written as digits, with at most nine behind a point: 25.00")
    sign, whole, part = found.groups()
    amount = int(whole) * BILLIONTHS + int((part or "").ljust(_DIGITS, "0"))
    if amount > MOST:
        raise _no_amount(param, f"It is at most {MOST // BILLIONTHS:,}")
    return -amount if sign else amount


def amount_text(amount: int) -> str:
    """All of an amount in billionths, with two digits behind the point at least: `25.00`, `0.000000001`."""
    whole, part = divmod(abs(amount), BILLIONTHS)
    digits = f"{part:0{_DIGITS}d}".rstrip("0").ljust(_SHOWN_DIGITS, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{digits}"


def _no_amount(param: str, why: str) -> InvalidRequestError:
    return InvalidRequestError(f"'{param}' is no amount", why=why, not_done="Nothing was changed", param=param)
