"""The times that people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.times import LATEST, parse_duration, parse_expiry, parse_future, parse_past

NOW = 1_793_491_200  # 2026-11-01T00:00:00Z
DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("45s", 45), ("30m", 1800), ("24h", DAY), (" 90d ", 90 * DAY), ("12w", 84 * DAY), ("1y", 365 * DAY)],
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text, param="grace") == seconds


@pytest.mark.parametrize(
    "text", ["", "24", "h", "1.5h", "-1h", "+1h", "1 h", "1h30m", "1H", "1M", "1mo", "9" * 10 + "s"]
)
def test_what_is_no_duration_is_refused_with_its_option(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_duration(text, param="grace")
    assert caught.value.param == "grace"
    assert "24h" in caught.value.why


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("90d", NOW + 90 * DAY),
        ("1s", NOW + 1),
        ("2026-11-02", NOW + DAY),
        ("2026-11-01T00:00:01Z", NOW + 1),
        ("2026-11-01T02:00:00+01:00", NOW + 3600),
        ("2026-11-01 02:00:00-00:30", NOW + 9000),
        ("2026-11-01T00:00:09.999Z", NOW + 9),
        ("9999-12-31T23:59:59Z", LATEST),
    ],
)
def test_a_key_ends_after_a_duration_on_a_day_or_at_an_instant(text: str, at: int) -> None:
    assert parse_expiry(text, now=NOW) == at


@pytest.mark.parametrize("text", ["never", "NEVER", " never "])
def test_never_is_no_end(text: str) -> None:
    assert parse_expiry(text, now=NOW) is None


@pytest.mark.parametrize(
    "text", ["0s", "2026-11-01", "2026-11-01T00:00:00Z", "1970-01-01", "2026-11-01T00:59:59+01:00"]
)
def test_an_end_that_has_passed_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="past"):
        parse_expiry(text, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "2026-1-1",
        "01.02.2026",
        "2026-11-02T12:00",
        "2026-11-02T12:00:00",
        "2026-11-02T25:00:00Z",
        "0000-01-01",
        "10000-01-01",
        "999999999y",
        "9999-12-31T23:59:59-12:00",
        "1969-12-31",
        "\u0662\u0660\u0662\u0666-11-02",
        "1793491201",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_expiry(text, now=NOW)
    assert caught.value.param == "expires"


def test_a_time_without_a_zone_is_asked_for_one() -> None:
    with pytest.raises(InvalidRequestError, match="time zone") as caught:
        parse_expiry("2026-11-02T12:00:00", now=NOW)
    assert "Z" in caught.value.why


def test_durations_count_back_from_now_or_on() -> None:
    assert parse_past("7d", now=NOW, param="since") == NOW - 7 * DAY
    assert parse_future("7d", now=NOW, param="expiring") == NOW + 7 * DAY
    assert parse_past("2026-10-31", now=NOW, param="since") == NOW - DAY
    with pytest.raises(InvalidRequestError):
        parse_past("100y", now=NOW, param="since")


@given(st.text(max_size=40) | st.from_regex(r"\A[0-9]{1,6}[-:.TZ0-9smhdwy+]{0,30}\Z"))
def test_any_text_is_a_time_that_can_be_shown_or_a_wrong_request(text: str) -> None:
    for parse in (parse_past, parse_future):
        try:
            at = parse(text, now=NOW, param="since")
        except InvalidRequestError:
            continue
        assert 0 <= at <= LATEST
