"""The usage log keeps every event as it was, whole batches or none, in a file that is nobody else's, without a key."""

from __future__ import annotations

import sqlite3  # noqa: TID253  # looks into the file
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from routic_cli.domain.errors import StoreDamagedError, StoreForeignError, UnsafeDestinationError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import fingerprint_of
from routic_cli.domain.traffic import EventQuery
from routic_cli.domain.usage import UsageEvent
from routic_cli.store.sqlite import SqliteStore
from routic_cli.store.usage import LONGEST_TEXT, UsageStore
from tests.support.encoded import encoded
from tests.support.keys import NOW, new_key
from tests.support.usage_events import all_events

KEY = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"
PLAIN = UsageEvent(NOW, "allowed", "POST", "/v1/chat/completions", 200, "192.0.2.7", "openai/3.54", "req_1")
FULL = PLAIN._replace(
    time=NOW + 1_000_000,
    flags=("key_in_url", "plain_http"),
    key_id=KeyId("key_0123456789ABCDEF"),
    version=2,
    sha256=fingerprint_of(KEY),
    account="prod",
    origin="https://example.com",
    tokens_in=1,
    tokens_out=2**40,
    cost=-3,
    model="gpt-5",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "usage.db"


@pytest.fixture
def store(path: Path) -> Iterator[UsageStore]:
    with closing(UsageStore(path)) as made:
        yield made


def many(count: int) -> list[UsageEvent]:
    return [PLAIN._replace(time=NOW + n, request_id=f"req_{n}", path=f"/v1/{n % 7}") for n in range(count)]


def test_an_event_comes_back_as_it_went_in(store: UsageStore) -> None:
    store.append([PLAIN, FULL])

    assert all_events(store) == [PLAIN, FULL]


@pytest.mark.parametrize("count", [1, 24, 25, 249, 250, 251, 1000, 1037])
def test_batches_of_any_size_are_whole_and_in_order(store: UsageStore, count: int) -> None:
    store.append(many(count))
    store.append([FULL])

    assert all_events(store) == [*many(count), FULL]


def test_since_until_and_limit_choose_in_order(store: UsageStore) -> None:
    store.append(many(100))

    def asked(**conditions: Any) -> list[UsageEvent]:
        return [event._replace(identity=None) for event in store.events(EventQuery(**conditions)).events]

    assert asked(since=NOW + 90) == many(100)[90:]
    assert asked(until=NOW + 3) == many(100)[:3]
    assert asked(since=NOW + 40, limit=3) == many(100)[40:43]


def test_looking_makes_no_file(store: UsageStore, path: Path) -> None:
    assert all_events(store) == []
    assert not path.exists()


def test_an_empty_batch_makes_no_file(store: UsageStore, path: Path) -> None:
    store.append([])

    assert not path.exists()


def test_the_file_and_its_folder_are_private(store: UsageStore, path: Path) -> None:
    store.append([PLAIN])

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_may_read_is_refused(store: UsageStore, path: Path) -> None:
    store.append([PLAIN])
    store.close()
    path.chmod(0o644)

    with pytest.raises(UnsafeDestinationError):
        store.append([PLAIN])


def test_a_key_store_is_not_taken_for_a_usage_log(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    keys = SqliteStore(path, account="default")
    with closing(keys), keys.writing(NOW) as tx:
        tx.insert_keys([new_key(1)])
    before = path.read_bytes()

    with closing(UsageStore(path)) as store, pytest.raises(StoreForeignError):
        store.append([PLAIN])

    assert path.read_bytes() == before


def test_a_cut_file_is_refused_and_left_as_it_is(store: UsageStore, path: Path) -> None:
    store.append(many(1000))
    store.close()
    path.write_bytes(cut := path.read_bytes()[:-4096])

    with pytest.raises(StoreDamagedError):
        store.append([PLAIN])

    assert path.read_bytes() == cut


@pytest.mark.parametrize("field", ["path", "agent", "request_id", "origin", "model", "address", "method", "outcome"])
def test_a_key_in_any_text_is_masked_before_it_reaches_the_file(store: UsageStore, path: Path, field: str) -> None:
    with_key: dict[str, Any] = {field: f"a {KEY} b"}
    store.append([PLAIN._replace(**with_key)])

    assert getattr(all_events(store)[0], field) == "a sk-… b"
    assert KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize("field", ["path", "agent", "request_id", "origin", "model", "address", "method", "outcome"])
@pytest.mark.parametrize("times", [1, 4, 40])
def test_a_key_is_masked_however_often_it_was_encoded(store: UsageStore, path: Path, field: str, times: int) -> None:
    with_key: dict[str, Any] = {field: f"a {encoded(KEY, times)} b"}
    store.append([PLAIN._replace(**with_key)])

    assert getattr(all_events(store)[0], field) == ("a sk-… b" if times <= 10 else "sk-…")
    assert b"yEeeby" not in path.read_bytes()


def test_a_text_with_percent_signs_and_without_a_key_is_kept_as_it_is(store: UsageStore) -> None:
    whole = PLAIN._replace(path="/a%20b%2520c", agent="100% %41", request_id="%7Bid%7D")
    store.append([whole])

    assert [each._replace(identity=PLAIN.identity) for each in all_events(store)] == [whole]


def test_a_key_at_the_cut_leaves_no_half(store: UsageStore, path: Path) -> None:
    store.append([PLAIN._replace(agent="x" * (LONGEST_TEXT - 30) + " " + KEY)])

    assert KEY[:12].encode() not in path.read_bytes()


def test_texts_are_cut_and_say_so(store: UsageStore) -> None:
    store.append([PLAIN._replace(agent="é" * 100_000)])

    agent = all_events(store)[0].agent
    assert agent == "é" * (LONGEST_TEXT - 1) + "…"


@pytest.mark.parametrize(
    ("text", "stored"), [("a\0b", "a\\x00b"), ("a\ud800b", "a\\ud800b"), ("\U0001f511", "\U0001f511")]
)
def test_texts_that_sqlite_cannot_keep_are_kept_in_words(store: UsageStore, text: str, stored: str) -> None:
    store.append([PLAIN._replace(agent=text, path="/" + text), PLAIN])

    first, second = sorted(all_events(store), key=lambda each: each.agent != stored)
    assert (first.agent, first.path, second) == (stored, "/" + stored, PLAIN)


@pytest.mark.parametrize(
    "impossible",
    [
        PLAIN._replace(tokens_in=2**63),
        PLAIN._replace(cost=-(2**64)),
        PLAIN._replace(flags=("nonsense",)),
        PLAIN._replace(sha256=fingerprint_of("x")[:-1]),  # type: ignore[arg-type]
    ],
)
def test_an_event_that_can_be_no_row_is_refused_with_its_whole_batch(store: UsageStore, impossible: UsageEvent) -> None:
    with pytest.raises(ValueError, match="usage event"):
        store.append([PLAIN, impossible])

    assert all_events(store) == []


def test_a_text_that_comes_again_is_stored_once(store: UsageStore, path: Path) -> None:
    for _ in range(3):
        store.append(many(500))

    with closing(sqlite3.connect(path)) as other:
        texts = [row[0] for row in other.execute("SELECT text FROM texts")]
    assert len(texts) == len(set(texts)) == 7 + 6  # paths; outcome, method, address, agent, network, family


def test_a_batch_that_fails_half_way_leaves_nothing(store: UsageStore, path: Path) -> None:
    store.append([PLAIN])
    with closing(sqlite3.connect(path)) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.request_id = 'req_700'"
            " BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )

    with pytest.raises(sqlite3.IntegrityError, match="no room"):
        store.append(many(1000))

    assert all_events(store) == [PLAIN]
    store.append([FULL])
    assert all_events(store) == [PLAIN, FULL]


def test_a_file_moved_away_is_followed_by_a_new_one(store: UsageStore, path: Path) -> None:
    store.append([PLAIN])
    path.rename(path.with_name("old.db"))

    store.append([FULL])

    assert all_events(store) == [FULL]
    with closing(UsageStore(path.with_name("old.db"))) as old:
        assert all_events(old) == [PLAIN]
