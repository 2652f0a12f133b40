"""Charts made of characters, and amounts as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.usage import BILLIONTHS
from routic_cli.output.amounts import exact_money, magnitude, money, places_for, share
from routic_cli.output.cells import Line, line_columns
from routic_cli.output.charts import bar, bar_of_parts, gathered, sparkline

COUNTS = st.integers(0, 10**12)


def text(line: Line) -> str:
    return "".join(span.text for span in line)


@given(value=COUNTS, more=COUNTS, width=st.integers(1, 60), unicode=st.booleans())
def test_a_bar_is_never_wider_than_its_room_and_only_nothing_has_none(
    value: int, more: int, width: int, unicode: bool
) -> None:
    drawn = bar(value, value + more, width, unicode=unicode)
    assert len(drawn) <= width
    assert (drawn == "") is (value == 0)


def test_bars_are_told_apart_by_half_a_character_where_that_can_be_shown() -> None:
    assert [bar(n, 16, 2, unicode=True) for n in (16, 12, 8, 1)] == ["━━", "━╸", "━", "╸"]
    assert [bar(n, 16, 2, unicode=False) for n in (16, 9, 8, 1)] == ["##", "#", "#", "#"]


def test_the_bad_part_of_a_bar_is_its_end() -> None:
    spans = bar_of_parts(6, 2, 8, 8, unicode=False)
    assert [(span.text, span.style) for span in spans] == [("######", "accent"), ("##", "bad")]
    assert text(bar_of_parts(8, 0, 8, 8, unicode=False)) == "########"


def test_a_sparkline_shows_a_single_call_beside_thousands_and_a_gap_as_a_gap() -> None:
    assert text(sparkline([0, 1, 4000, 8000], unicode=True)) == "·▁▄█"
    assert text(sparkline([0, 1, 4000, 8000], unicode=False)) == ".:+@"
    assert text(sparkline([0, 0], unicode=True)) == "··"


@given(values=st.lists(COUNTS, max_size=2000), most=st.integers(1, 40))
def test_gathering_hours_loses_no_call_and_fits(values: list[int], most: int) -> None:
    found = gathered(values, most)
    assert sum(found) == sum(values)
    assert len(found) <= most
    assert line_columns(sparkline(found, unicode=True)) == len(found)


def test_a_week_of_hours_becomes_steps_that_a_day_is_made_of() -> None:
    day = [0] * 12 + [1] * 12
    assert gathered(day * 7, 31) == [0, 0, 6, 6] * 7
    assert gathered(day * 7, 15) == [0, 12] * 7
    assert gathered(day * 30, 31) == [12] * 30


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (9949, "9.9k"), (9999, "10.0k"), (12_345, "12k"), (999_499, "999k"),
     (999_999, "1.0M"), (3_400_000, "3.4M"), (12 * 10**9, "12G")],
)  # fmt: skip
def test_tokens_are_shown_by_their_magnitude(count: int, shown: str) -> None:
    assert magnitude(count) == shown


def test_money_that_is_little_is_not_nothing() -> None:
    assert money(12_345 * BILLIONTHS) == "12,345.00"
    assert money(1) == "<0.01"
    assert money(0) == "0.00"
    assert money(BILLIONTHS // 1000, places=4) == "0.0010"
    assert places_for([BILLIONTHS]) == 2
    assert places_for([BILLIONTHS // 100]) == 4
    assert places_for([]) == 4


@given(st.integers(0, 10**18))
def test_exact_money_for_scripts_keeps_every_digit(billionths: int) -> None:
    from decimal import Decimal

    shown = exact_money(billionths)
    assert Decimal(shown) * BILLIONTHS == billionths
    assert "e" not in shown.lower()


@given(whole=st.integers(1, 10**9), data=st.data())
def test_a_share_is_never_rounded_to_none_or_all(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    assert (share(part, whole) == "0%") is (part == 0)
    assert (share(part, whole) == "100%") is (part == whole)
