"""What the usage log counts as it is written is what its events say: after repeats, pruning, undoing and upgrading."""

from __future__ import annotations

import sqlite3  # noqa: TID253  # an older file, and another process
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routic_cli.domain.keys import KeyId
from routic_cli.domain.networks import caller_of
from routic_cli.domain.secret import Fingerprint, fingerprint_of
from routic_cli.domain.traffic import Dimension, LastUse, Strangers, TrafficQuery
from routic_cli.domain.usage import USES, UsageEvent
from routic_cli.store.connection import Kind
from routic_cli.store.database import open_database
from routic_cli.store.migrations import USAGE
from routic_cli.store.usage import UsageStore
from tests.support.usage_events import all_events

HOUR = 3600
KEY = KeyId("key_0123456789abcdef")
LABELS = tuple(Dimension)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "usage.db"


@pytest.fixture
def store(path: Path) -> Iterator[UsageStore]:
    with closing(UsageStore(path)) as made:
        yield made


def call(time: int, identity: int | None = None, **fields: Any) -> UsageEvent:
    event = UsageEvent(time, "allowed", "POST", "/v1/models", 200, "192.0.2.7", "curl/8.5.0", "r", identity=identity)
    return event._replace(**fields)


EVENTS = st.lists(
    st.builds(
        UsageEvent,
        time=st.integers(0, 5 * HOUR),
        outcome=st.sampled_from(["allowed", "unknown", "revoked", "rate_limited"]),
        method=st.sampled_from(["GET", "POST"]),
        path=st.sampled_from(["/v1/models", "/v1/chat/completions"]),
        status=st.sampled_from([200, 401, 503]),
        address=st.sampled_from(["192.0.2.7", "192.0.2.8", "2001:db8::1", "unix:"]),
        agent=st.sampled_from(["curl/8.5.0", "curl/8.6.0", "OpenAI/Python 2.8.1", ""]),
        request_id=st.just("r"),
        flags=st.sampled_from([(), ("plain_http",), ("key_in_url", "plain_http")]),
        key_id=st.sampled_from([None, KEY]),
        version=st.sampled_from([None, 1, 2]),
        sha256=st.sampled_from([None, fingerprint_of("a"), fingerprint_of("b")]),
        account=st.sampled_from([None, "default", "prod"]),
        origin=st.sampled_from([None, "https://app.example"]),
        tokens_in=st.none() | st.integers(0, 1000),
        tokens_out=st.none() | st.integers(0, 1000),
        cost=st.none() | st.integers(-5, 10**12),
        model=st.sampled_from([None, "gpt-5"]),
        identity=st.integers(-(2**63) + 1, 2**63 - 1),
    ),
    max_size=40,
    unique_by=lambda event: (event.time, event.identity),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(events=EVENTS, cut=st.integers(0, 40))
def test_the_counts_are_those_of_the_events(
    tmp_path_factory: pytest.TempPathFactory, events: list[UsageEvent], cut: int
) -> None:
    with closing(UsageStore(tmp_path_factory.mktemp("log") / "usage.db")) as store:
        store.append(events[:cut])
        store.append(events)
        store.append(events[cut:])

        assert counted(store) == plainly(events)
        assert uses(store) == plain_uses(events)
        assert strange(store) == plain_strangers(events)
        for account in ("default", "prod"):
            costs = [event.cost for event in events if event.account == account and event.cost is not None]
            assert store.spent(account) == sum(costs)


def counted(store: UsageStore) -> dict[object, list[int]]:
    by = (Dimension.HOUR, Dimension.KEY, Dimension.VERSION, Dimension.OUTCOME, Dimension.ADDRESS, Dimension.AGENT,
          Dimension.ORIGIN, Dimension.MODEL, Dimension.FLAGS, Dimension.METHOD)  # fmt: skip
    return {row.labels: list(row[1:]) for row in store.traffic(TrafficQuery(by))}


def plainly(events: Sequence[UsageEvent]) -> dict[object, list[int]]:
    found: dict[object, list[int]] = {}
    for e in events:
        labels = (e.time - e.time % HOUR, e.key_id, e.version, e.outcome, e.address, e.agent, e.origin, e.model,
                  e.flags, e.method)  # fmt: skip
        sums = found.setdefault(labels, [0, 0, 0, 0, 0, e.time, e.time])
        values = (1, e.status >= 400, e.tokens_in or 0, e.tokens_out or 0, e.cost or 0)
        found[labels] = [
            *(a + int(b) for a, b in zip(sums, values, strict=False)),
            min(sums[5], e.time),
            max(sums[6], e.time),
        ]
    return found


def uses(store: UsageStore) -> dict[tuple[KeyId, int], LastUse]:
    return dict(store.last_uses())


def plain_uses(events: Sequence[UsageEvent]) -> dict[tuple[KeyId, int], LastUse]:
    times = defaultdict(list)
    for event in events:
        if event.key_id is not None and event.outcome in USES:
            times[event.key_id, event.version or 0].append(event.time)
    return {who: LastUse(max(at), len(at)) for who, at in times.items()}


def strange(store: UsageStore) -> set[Strangers]:
    return set(store.strangers())


def plain_strangers(events: Sequence[UsageEvent]) -> set[Strangers]:
    tried: dict[str, list[tuple[Fingerprint, int]]] = defaultdict(list)
    for event in events:
        if event.sha256 is not None and event.outcome in {"unknown", "refused", "malformed"}:
            tried[caller_of(event.address) or ""].append((event.sha256, event.time))
    return {
        Strangers(
            address, len({key for key, _ in calls}), len(calls), min(t for _, t in calls), max(t for _, t in calls)
        )
        for address, calls in tried.items()
    }


def test_an_event_that_comes_again_counts_once(store: UsageStore) -> None:
    first = store.append([call(10, 1), call(10, 2), call(10, 1)])
    again = store.append([call(10, 1), call(11, 1)])

    assert (first.new, first.known, again.new, again.known) == (2, 1, 1, 1)
    assert [row.calls for row in store.traffic(TrafficQuery(()))] == [3]


def test_calls_alike_in_everything_are_still_several(store: UsageStore) -> None:
    store.append([call(10)] * 500)
    store.append([call(10)] * 500)

    assert len(all_events(store)) == 1000


def test_an_hour_that_the_time_asked_for_touches_is_counted_whole(store: UsageStore) -> None:
    store.append([call(HOUR - 1), call(HOUR), call(2 * HOUR - 1), call(2 * HOUR)])

    def calls(since: int | None, until: int | None) -> int:
        return sum(row.calls for row in store.traffic(TrafficQuery((), since, until)))

    assert calls(HOUR, 2 * HOUR) == 2
    assert calls(HOUR + 30, 2 * HOUR + 1) == 3
    assert calls(None, HOUR) == 1
    assert calls(2 * HOUR, None) == 1


def test_what_is_pruned_is_gone_and_what_it_said_of_use_and_cost_stays(store: UsageStore, path: Path) -> None:
    old = call(HOUR + 5, key_id=KEY, version=1, account="default", cost=7, address="198.51.100.9", agent="old/1")
    store.append([old, call(9 * HOUR, key_id=KEY, version=2, account="default", cost=3)])

    assert store.prune(9 * HOUR + 100) == 1

    assert [row.calls for row in store.traffic(TrafficQuery(()))] == [1]
    assert store.spent("default") == 10
    assert store.last_uses()[KEY, 1] == LastUse(HOUR + 5, 1)
    with closing(sqlite3.connect(path)) as other:
        texts = {row[0] for row in other.execute("SELECT text FROM texts")}
    assert not texts & {"198.51.100.9", "198.51.100.0/24", "old/1", "old"}


def test_an_account_prunes_its_own_calls_and_those_of_nobody(store: UsageStore) -> None:
    store.append([call(5, account=account) for account in ("default", "prod", None)])
    store.append([call(5, outcome="unknown", sha256=fingerprint_of("a"))])

    assert store.prune(2 * HOUR, account="prod") == 3

    assert [event.account for event in all_events(store)] == ["default"]
    assert [row.calls for row in store.traffic(TrafficQuery(()))] == [1]
    assert store.strangers() == []


def test_a_writer_notices_that_another_has_pruned(store: UsageStore, path: Path) -> None:
    store.append([call(5, agent="old/1")])
    with closing(UsageStore(path)) as other:
        assert other.prune(2 * HOUR) == 1
        other.append([call(3 * HOUR, agent="new/1"), call(3 * HOUR, agent="newer/1")])

    store.append([call(4 * HOUR, agent="old/1")])

    assert [event.agent for event in all_events(store) if event.time == 4 * HOUR] == ["old/1"]
    assert sorted(str(row.labels[0]) for row in store.traffic(TrafficQuery((Dimension.FAMILY,)))) == [
        "new",
        "newer",
        "old",
    ]


def test_numbers_given_by_a_batch_that_failed_are_not_believed(store: UsageStore) -> None:
    store.append([call(5)])
    with pytest.raises(ValueError, match="flag"):
        store.append([call(6, agent="first/1"), call(6, flags=("nonsense",))])

    store.append([call(7, agent="second/1"), call(7, agent="first/1")])

    assert sorted(event.agent for event in all_events(store)) == ["curl/8.5.0", "first/1", "second/1"]


def test_a_log_of_the_first_version_is_brought_up_with_all_it_has(path: Path) -> None:
    first = Kind("usage log", USAGE.application_id, USAGE.steps[:1])
    with closing(open_database(path, first)) as old:
        old.execute(
            "INSERT INTO texts (id, text) VALUES (1, 'allowed'), (2, 'POST'), (3, '/v1/models'), (4, '192.0.2.7'),"
            " (5, 'OpenAI/Python 2.8.1'), (6, 'key_0123456789abcdef'), (7, 'default'), (8, 'unknown')"
        )
        old.execute(
            "INSERT INTO events VALUES (1, 100, 6, 2, NULL, 7, 1, 2, 3, 200, 4, 5, NULL, 10, NULL, 70, NULL, 'r1', 2),"
            " (2, 100, NULL, NULL, ?, NULL, 8, 2, 3, 401, 4, 5, NULL, NULL, NULL, NULL, NULL, 'r2', 0),"
            " (3, 4000, 6, 2, NULL, 7, 1, 2, 3, 200, 4, 5, NULL, 10, NULL, 5, NULL, 'r3', 0)",
            (bytes.fromhex(fingerprint_of("a")),),
        )

    with closing(UsageStore(path)) as store:
        events = all_events(store)
        assert [event.request_id for event in events] == ["r1", "r2", "r3"]
        assert events[0] == UsageEvent(
            100, "allowed", "POST", "/v1/models", 200, "192.0.2.7", "OpenAI/Python 2.8.1", "r1", ("plain_http",),
            KEY, 2, account="default", tokens_in=10, cost=70,
        )  # fmt: skip
        assert counted(store) == plainly(events)
        assert uses(store) == plain_uses(events)
        assert strange(store) == plain_strangers(events)
        assert store.spent("default") == 75
        families = store.traffic(TrafficQuery((Dimension.FAMILY, Dimension.NETWORK)))
        assert [row.labels for row in families] == [("OpenAI/Python", "192.0.2.0/24")]
    assert list(path.parent.glob("usage.db.v1-*.bak"))


def test_a_call_that_another_account_read_first_is_given_to_whom_the_key_is(store: UsageStore) -> None:
    secret = fingerprint_of("a")
    seen = [call(n * 700, n, outcome="refused", sha256=secret) for n in range(12)]
    store.append([*seen, call(800, 99, outcome="unknown", sha256=fingerprint_of("b")), call(900, 98)])

    owned = [event._replace(outcome="allowed", sha256=None, key_id=KEY, version=1, account="prod") for event in seen]
    again = store.append([event._replace(cost=2) for event in owned])

    assert (again.new, again.known) == (12, 0)
    assert store.append(owned).known == 12
    assert store.append(seen).known == 12
    events = all_events(store)
    assert [event.key_id for event in events].count(KEY) == 12
    assert counted(store) == plainly(events)
    assert strange(store) == plain_strangers(events) == {Strangers("192.0.2.7", 1, 1, 800, 800)}
    assert store.last_uses()[KEY, 1] == LastUse(11 * 700, 12)
    assert store.spent("prod") == 24


def test_what_was_pruned_does_not_come_back_with_the_same_log(store: UsageStore) -> None:
    log = [call(n * HOUR, n, key_id=KEY, version=1, account="prod", cost=5) for n in range(10)]
    others = [call(n * HOUR, 100 + n, account="dev") for n in range(10)]
    store.append([*log, *others])
    assert store.prune(8 * HOUR, account="prod", nobodys=False) == 8

    assert store.append([*log, *others]).new == 0

    assert store.spent("prod") == 50
    assert store.last_uses()[KEY, 1].calls == 10
    assert store.append([call(2 * HOUR, 777, account="dev"), call(2 * HOUR, 778)]).new == 2
    assert store.prune(9 * HOUR, account="dev") == 11
    assert store.append([call(2 * HOUR, 778)]).new == 0


def test_sums_that_no_number_can_hold_stay_at_the_largest(store: UsageStore) -> None:
    largest = 2**63 - 1
    for n in range(3):
        store.append([call(5 + n, n * 10 + k, account="prod", key_id=KEY, version=1, cost=2**62) for k in range(5)])

    assert store.spent("prod") == largest
    assert [row.cost for row in store.traffic(TrafficQuery((Dimension.KEY,)))] == [largest]
    assert [row.cost for row in store.traffic(TrafficQuery((Dimension.HOUR,)))] == [largest]


def test_the_log_of_one_account_does_not_vouch_for_another(store: UsageStore) -> None:
    store.append([call(5, account="prod", key_id=KEY, version=1), call(9 * HOUR, account="dev")])

    assert (store.began(), store.began(account="prod"), store.began(account="dev")) == (5, 5, 9 * HOUR)
    store.prune(20 * HOUR)
    assert (store.began(account="prod"), store.began(account="dev")) == (5, None)
