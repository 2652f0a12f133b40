"""Amounts of money, and what is left of a balance: exact, whatever happens to the log of costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.accounts import MOST, Ledger, amount_text, checked_account, parse_amount
from routic_cli.domain.errors import InvalidNameError, InvalidRequestError
from routic_cli.domain.usage import BILLIONTHS

AMOUNTS = st.integers(-MOST, MOST)


@given(AMOUNTS)
def test_an_amount_comes_back_from_its_text_and_is_the_decimal_that_it_looks_like(amount: int) -> None:
    text = amount_text(amount)
    assert parse_amount(text, "balance") == amount
    assert Decimal(text) == Decimal(amount).scaleb(-9)
    assert len(text.partition(".")[2]) >= 2


@given(st.decimals(-10, 10, places=9))
def test_what_is_typed_is_what_is_kept(value: Decimal) -> None:
    assert parse_amount(f"{value:f}", "balance") == int(value * BILLIONTHS)


@given(st.text())
def test_any_other_text_is_refused_as_such(text: str) -> None:
    try:
        amount = parse_amount(text, "balance")
    except InvalidRequestError:
        return
    assert Decimal(text) * BILLIONTHS == amount


@given(balance=AMOUNTS, before=st.integers(0, MOST), costs=st.lists(st.integers(0, BILLIONTHS)))
def test_what_is_left_is_what_was_set_without_what_came_since(balance: int, before: int, costs: list[int]) -> None:
    ledger = Ledger("EUR", balance, before, 0)
    assert ledger.balance_after(before + sum(costs)) == balance - sum(costs)


def test_a_log_that_has_less_is_another_one_and_all_in_it_was_spent_since() -> None:
    assert Ledger("EUR", 100, 50, 0).balance_after(20) == 80


def test_no_balance_stays_none_whatever_is_spent() -> None:
    assert Ledger().balance_after(5) is None


@pytest.mark.parametrize("name", ["", "a/b", "sk-" + "a" * 45, "key_0"])
def test_a_wrong_name_of_an_account_says_who_names_it(name: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        checked_account(name, "ROUTIC_ACCOUNT")
    assert caught.value.why.startswith("ROUTIC_ACCOUNT: ")
    assert "aaaaa" not in " ".join(caught.value.sentences())
