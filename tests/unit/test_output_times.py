"""Times as people read them."""

from __future__ import annotations

import pytest

from routic_cli.domain.keys import Key, KeyStatus, KeyTraits, KeyVersion
from routic_cli.output.times import absolute, absolute_or_empty, last_use, relative
from tests.support.keys import HINT, key_id, sha256

NOW = 1_790_000_000
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (0, "just now"),
        (-59, "just now"),
        (1, "in 1 second"),
        (59, "in 59 seconds"),
        (-MINUTE, "1 minute ago"),
        (59 * MINUTE, "in 59 minutes"),
        (HOUR - 10, "in 1 hour"),
        (2 * HOUR, "in 2 hours"),
        (24 * HOUR, "in 24 hours"),
        (24 * HOUR - 1, "in 24 hours"),
        (-3 * DAY, "3 days ago"),
        (90 * DAY, "in 90 days"),
        (90 * DAY - 1, "in 90 days"),
        (-120 * DAY, "4 months ago"),
        (365 * DAY, "in 12 months"),
        (-730 * DAY, "2 years ago"),
        (3650 * DAY, "in 10 years"),
    ],
)
def test_distance_in_words(distance: int, words: str) -> None:
    assert relative(NOW + distance, NOW) == words


def test_no_time_is_never() -> None:
    assert relative(None, NOW) == "never"
    assert absolute_or_empty(None) == ""


def test_the_record_is_rfc_3339_in_utc() -> None:
    assert absolute(NOW) == "2026-09-21T14:13:20Z"
    assert absolute_or_empty(0) == "1970-01-01T00:00:00Z"


def test_a_time_beyond_all_calendars_is_shown_as_it_came() -> None:
    assert absolute(10**30) == "1" + "0" * 30


@pytest.mark.parametrize(
    ("used", "since", "words"),
    [
        (NOW - 60, None, "1 minute ago"),
        (NOW - 60, NOW - DAY, "1 minute ago"),
        (None, None, "unknown"),
        (None, NOW - DAY + 1, "unknown"),
        (None, NOW - DAY, "never"),
        (None, NOW - 9 * DAY, "never"),
    ],
)
def test_never_is_said_only_of_what_is_no_older_than_the_log(used: int | None, since: int | None, words: str) -> None:
    version = KeyVersion(1, sha256(1), HINT, NOW - DAY, None, used)
    key = Key(key_id(1), KeyTraits("a"), KeyStatus.ACTIVE, (version,), NOW - DAY, used, usage_since=since)
    assert last_use(key, NOW) == last_use(key, NOW, version) == words
