"""What every transport has to say of usage: what was appended, once, to whom it belongs, and counted as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routic_cli.domain.audit.findings import AuditQuery, RuleName
from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.clients import family_of
from routic_cli.domain.errors import InvalidRequestError, KeyNotFoundError
from routic_cli.domain.keys import KeyId
from routic_cli.domain.networks import network_of
from routic_cli.domain.traffic import Appended, Dimension, EventQuery, Label, Traffic, TrafficQuery, TrafficSort
from routic_cli.domain.usage import EventMark, UsageEvent
from routic_cli.transport.interface import Transport
from routic_cli.transport.usage import UsageTransport
from tests.contract.transport_fixtures import OURS, THEIRS, Clock, TransportFixtures, TransportOf
from tests.support.keys import NOW, key_id, new_key, new_version, sha256

HOUR = 3600
DAY = 24 * HOUR
BEGIN = NOW - NOW % HOUR - 100 * HOUR
_BEGINNINGS = count(BEGIN, -50 * HOUR)
SECRET = "sk-" + "A" * 45
Change = Callable[[UsageEvent], UsageEvent]


def call(at: int = NOW, identity: int | None = None, **fields: Any) -> UsageEvent:
    event = UsageEvent(at, "allowed", "POST", "/v1/models", 200, "192.0.2.7", "curl/8.5.0", "r", identity=identity)
    return event._replace(**fields)


def by_key(n: int, at: int = NOW, identity: int | None = None, **fields: Any) -> UsageEvent:
    return call(at, identity, **({"key_id": key_id(n), "version": 1} | fields))


def everything(usage: UsageTransport) -> list[UsageEvent]:
    """All events, without what the log itself adds."""
    page = usage.events(EventQuery())
    assert not page.has_more
    return [event._replace(identity=None, account=None) for event in page.events]


# Whose a call is, as the log has it: with a key of ours, with one that nobody has, or with none.
WHOSE = st.sampled_from([(key_id(1), 1, None), (key_id(1), 2, None), (None, None, sha256(99)), (None, None, None)])
EVENTS = st.lists(
    st.builds(
        lambda whose, **fields: UsageEvent(**fields, key_id=whose[0], version=whose[1], sha256=whose[2]),
        whose=WHOSE,
        time=st.integers(BEGIN, BEGIN + 3 * HOUR),
        outcome=st.sampled_from(["allowed", "unknown", "revoked", "a code of a log"]),
        method=st.sampled_from(["GET", "POST"]),
        path=st.just("/v1/models"),
        status=st.sampled_from([0, 200, 399, 400, 503]),
        address=st.sampled_from(["192.0.2.7", "192.0.2.8", "198.51.100.1", "2001:db8::1", "unix:", ""]),
        agent=st.sampled_from(["curl/8.5.0", "curl/8.6.0", "OpenAI/Python 2.8.1", "ünïcode", ""]),
        request_id=st.just("r"),
        flags=st.sampled_from([(), ("plain_http",), ("key_in_url", "plain_http")]),
        origin=st.sampled_from([None, "https://app.example"]),
        tokens_in=st.none() | st.integers(0, 10**12),
        tokens_out=st.none() | st.integers(0, 1000),
        cost=st.none() | st.integers(0, 10**12),
        model=st.sampled_from([None, "gpt-5"]),
        identity=st.integers(1 - 2**63, 2**63 - 1),
    ),
    max_size=25,
    unique_by=lambda event: (event.time, event.identity),
)


def plainly(events: Sequence[UsageEvent], by: Sequence[Dimension]) -> dict[tuple[Label, ...], Traffic]:
    """The counts, by going through the events one after the other."""
    read: dict[Dimension, Callable[[UsageEvent], Label]] = {
        Dimension.HOUR: lambda event: event.time - event.time % HOUR,
        Dimension.KEY: lambda event: event.key_id,
        Dimension.NETWORK: lambda event: network_of(event.address),
        Dimension.FAMILY: lambda event: family_of(event.agent),
    }
    alike: dict[tuple[Label, ...], list[UsageEvent]] = {}
    for event in events:
        labels = tuple(read[each](event) if each in read else getattr(event, each.value) for each in by)
        alike.setdefault(labels, []).append(event)
    return {
        labels: Traffic(
            labels,
            len(some),
            sum(event.status >= 400 for event in some),
            # Calls without a key of ours are nobody's: what they cost is charged to nobody, and not kept.
            sum(event.tokens_in or 0 for event in some if event.key_id is not None),
            sum(event.tokens_out or 0 for event in some if event.key_id is not None),
            sum(event.cost or 0 for event in some if event.key_id is not None),
            min(event.time for event in some),
            max(event.time for event in some),
        )
        for labels, some in alike.items()
    }


class UsageContract(TransportFixtures):
    """The promises of routic_cli/transport/usage.py."""

    @pytest.fixture
    def usage(self, transport: Transport) -> UsageTransport:
        return transport.usage

    # Appending

    def test_an_event_comes_back_as_it_went_in(self, transport: Transport, usage: UsageTransport) -> None:
        transport.register(new_key(1))
        whole = by_key(
            1,
            outcome="rate_limited",
            method="GET",
            path="/v1/ü",
            status=429,
            address="2001:db8::7",
            agent="OpenAI/Python 2.8.1",
            request_id="req_1",
            flags=("key_in_url", "plain_http"),
            version=3,
            origin="https://app.example",
            tokens_in=1,
            tokens_out=2,
            cost=123_456_789_001,
            model="gpt-5",
        )
        unknown = call(NOW + 1, sha256=sha256(9), outcome="unknown", status=401)

        assert usage.append([whole, unknown]) == Appended(2, 0)
        assert everything(usage) == [whole, unknown]

    def test_an_event_with_an_identity_counts_once(self, usage: UsageTransport) -> None:
        first, second = call(NOW, 7, cost=5), call(NOW, 8, cost=5)
        assert usage.append([first]) == Appended(1, 0)
        assert usage.append([first, second, second]) == Appended(1, 2)
        assert usage.append([call(NOW + 1, 7, cost=5)]) == Appended(1, 0)
        assert usage.summary(TrafficQuery(())).rows[0].calls == 3

    def test_events_without_an_identity_are_each_new_and_get_one(self, usage: UsageTransport) -> None:
        assert usage.append([call(), call()]) == Appended(2, 0)
        identities = {event.identity for event in usage.events(EventQuery()).events}
        assert len(identities) == 2
        assert None not in identities

    def test_nothing_is_appended_by_no_event(self, usage: UsageTransport) -> None:
        assert usage.append([]) == Appended(0, 0)
        assert everything(usage) == []

    def test_more_events_than_a_request_takes_are_all_stored(self, usage: UsageTransport) -> None:
        events = [call(BEGIN + n, n) for n in range(5_001)]
        assert usage.append(events) == Appended(5_001, 0)
        assert usage.append(events) == Appended(0, 5_001)

    @pytest.mark.parametrize(
        "change",
        [
            lambda event: event._replace(flags=("sweet",)),
            lambda event: event._replace(status=1 << 64),
            lambda event: event._replace(sha256="none"),
        ],
        ids=["a flag", "a number", "a fingerprint"],
    )
    def test_what_can_never_be_stored_is_refused_and_the_rest_of_it_with_it(
        self, usage: UsageTransport, change: Change
    ) -> None:
        with pytest.raises(InvalidRequestError):
            usage.append([call(), change(call())])
        assert everything(usage) == []

    def test_what_is_shaped_like_a_key_is_masked(self, usage: UsageTransport) -> None:
        usage.append([call(path=f"/{SECRET}", agent=f"a {SECRET}", origin=SECRET, model=SECRET, request_id=SECRET)])
        assert SECRET not in str(everything(usage))
        assert "sk-…" in everything(usage)[0].path

    def test_half_a_character_breaks_nothing(self, usage: UsageTransport) -> None:
        assert usage.append([call(agent="a\ud800", path="/\0")]) == Appended(1, 0)
        assert everything(usage)[0].agent == "a\\ud800"

    # Whose a call is

    def test_a_call_belongs_to_the_key_that_has_its_fingerprint(
        self, transport: Transport, usage: UsageTransport
    ) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        usage.append([call(sha256=sha256(1)), call(NOW + 1, sha256=sha256(1, 2)), call(NOW + 2, sha256=sha256(9))])

        found = [(event.key_id, event.version, event.sha256) for event in everything(usage)]
        assert found == [(key_id(1), 1, None), (key_id(1), 2, None), (None, None, sha256(9))]

    def test_why_a_known_key_was_refused_is_found_out(
        self, transport: Transport, usage: UsageTransport, clock: Clock
    ) -> None:
        transport.register(new_key(1))
        transport.register(new_key(2, expires_at=NOW + 20))
        transport.register(new_key(3))
        transport.add_version(key_id(3), new_version(3, 2))
        transport.end_version(key_id(3), 1, NOW + 20)
        clock.forward(20)
        transport.revoke([key_id(1)], "leaked")
        told = [("refused", sha256(n)) for n in (1, 2, 3, 9)]
        usage.append([call(NOW + at, outcome=why, sha256=sha) for at in (10, 30) for why, sha in told])

        outcomes = [event.outcome for event in everything(usage)]
        assert sorted(outcomes[:4]) == ["refused", "refused", "refused", "unknown"]
        assert sorted(outcomes[4:]) == ["expired", "replaced", "revoked", "unknown"]

    def test_a_key_of_another_account_is_an_unknown_one(self, transport_of: TransportOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        theirs.register(new_key(1))
        ours.usage.append([call(outcome="refused", sha256=sha256(1))])

        [event] = everything(ours.usage)
        assert (event.key_id, event.sha256, event.outcome) == (None, sha256(1), "unknown")

    def test_no_account_writes_into_the_history_of_anothers_key(self, transport_of: TransportOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        ours.register(new_key(1))
        theirs.usage.append([by_key(1), call(NOW + 1, account=OURS)])

        assert ours.usage.summary(TrafficQuery((), key_ids=(key_id(1),))).rows == ()
        assert ours.find(key_id(1)).last_used_at is None
        assert [event.key_id for event in everything(theirs.usage)] == [None, None]

    def test_accounts_see_their_own_calls_and_those_of_nobodys_keys(self, transport_of: TransportOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        ours.register(new_key(1))
        ours.usage.append([by_key(1), call(NOW + 1, sha256=sha256(9))])

        assert [event.sha256 for event in everything(theirs.usage)] == [sha256(9)]
        assert theirs.usage.events(EventQuery(key_ids=(key_id(1),))).events == ()
        assert [row.calls for row in theirs.usage.summary(TrafficQuery(())).rows] == [1]
        assert [row.calls for row in ours.usage.summary(TrafficQuery(())).rows] == [2]

    # Single events

    def test_events_come_page_by_page_in_the_order_of_their_time(self, usage: UsageTransport) -> None:
        events = [call(NOW + n // 2, n - 3) for n in range(7)]
        usage.append(events[::-1])
        found: list[UsageEvent] = []
        after, more = None, True
        while more:
            page = usage.events(EventQuery(after=after, limit=3))
            found += page.events
            more = page.has_more
            after = EventMark(found[-1].time, found[-1].identity or 0)
        assert [(event.time, event.identity) for event in found] == [(e.time, e.identity) for e in events]

    def test_events_are_chosen_by_time_and_key(self, transport: Transport, usage: UsageTransport) -> None:
        transport.register(new_key(1))
        transport.register(new_key(2))
        usage.append([by_key(1 + n % 2, NOW + n) for n in range(6)])

        def times(query: EventQuery) -> list[int]:
            return [event.time - NOW for event in usage.events(query).events]

        assert times(EventQuery(since=NOW + 2, until=NOW + 5)) == [2, 3, 4]
        assert times(EventQuery(key_ids=(key_id(1),))) == [0, 2, 4]
        assert times(EventQuery(key_ids=(key_id(1), key_id(2)), limit=4)) == [0, 1, 2, 3]
        assert times(EventQuery(key_ids=())) == []

    # Counts

    # Differing executors: each transport's own class has a database of examples for itself.
    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
        max_examples=15,
        deadline=None,
    )
    @given(events=EVENTS, by=st.lists(st.sampled_from(Dimension), unique=True, max_size=4))
    def test_the_counts_are_those_of_the_events_by_whatever_they_are_asked_for(
        self, transport: Transport, events: list[UsageEvent], by: list[Dimension]
    ) -> None:
        transport.register(new_key(1))
        # A time of its own for each example: the log has those of the ones before.
        begin = next(_BEGINNINGS)
        events = [event._replace(time=event.time - BEGIN + begin) for event in events]
        transport.usage.append(events)

        for dimensions in [(each,) for each in by] + [tuple(by)]:
            rows = transport.usage.summary(TrafficQuery(dimensions, since=begin, until=begin + 50 * HOUR)).rows
            assert len({row.labels for row in rows}) == len(rows)
            assert {row.labels: row for row in rows} == plainly(events, dimensions)

    def test_counts_are_of_the_calls_that_meet_every_condition(
        self, transport: Transport, usage: UsageTransport
    ) -> None:
        transport.register(new_key(1))
        transport.register(new_key(2))
        usage.append(
            [
                by_key(1, BEGIN),
                by_key(1, BEGIN + HOUR, version=2, outcome="revoked"),
                by_key(2, BEGIN + 2 * HOUR, outcome="expired", flags=("plain_http",)),
                call(BEGIN + 3 * HOUR, sha256=sha256(9), outcome="unknown", flags=("key_in_url", "plain_http")),
            ]
        )

        def hours(**conditions: Any) -> list[int]:
            rows = usage.summary(TrafficQuery((Dimension.HOUR,), **conditions)).rows
            return sorted((int(str(row.labels[0])) - BEGIN) // HOUR for row in rows)

        assert hours() == [0, 1, 2, 3]
        assert hours(since=BEGIN + HOUR, until=BEGIN + 3 * HOUR) == [1, 2]
        assert hours(since=BEGIN + 1, until=BEGIN + HOUR + 1) == [0, 1]  # an hour that is touched counts whole
        assert hours(key_ids=(key_id(1), key_id(2))) == [0, 1, 2]
        assert hours(key_ids=()) == []
        assert hours(key_ids=(key_id(1),), version=2) == [1]
        assert hours(outcomes=("expired", "unknown")) == [2, 3]
        assert hours(outcomes=()) == []
        assert hours(flag="plain_http") == [2, 3]
        assert hours(flag="key_in_url", since=BEGIN + 4 * HOUR) == []

    def test_counts_come_in_the_order_and_the_number_asked_for(
        self, transport: Transport, usage: UsageTransport
    ) -> None:
        transport.register(new_key(1))
        agents = ["beta/1", "Alpha/1", "gamma/1", ""]
        usage.append([by_key(1, BEGIN + n, agent=agents[n], cost=100 - n) for n in range(4) for _ in range(5 - n)])

        def found(sort: TrafficSort, *, descending: bool = False, limit: int | None = None) -> list[Label]:
            query = TrafficQuery((Dimension.AGENT,), sort=sort, descending=descending, limit=limit)
            return [row.labels[0] for row in usage.summary(query).rows]

        assert found(TrafficSort.CALLS) == ["", "gamma/1", "Alpha/1", "beta/1"]
        assert found(TrafficSort.CALLS, descending=True, limit=2) == ["beta/1", "Alpha/1"]
        assert found(TrafficSort.LAST_AT, descending=True, limit=1) == [""]
        assert found(TrafficSort.COST, limit=2) == ["", "gamma/1"]
        assert found(TrafficSort.LABELS) == ["", "Alpha/1", "beta/1", "gamma/1"]
        assert found(TrafficSort.LABELS, descending=True, limit=1) == ["gamma/1"]
        assert found(TrafficSort.ERRORS, limit=100_001) == ["beta/1", "Alpha/1", "gamma/1", ""]
        everything = TrafficQuery((), sort=TrafficSort.CALLS, limit=5)
        assert [row.calls for row in usage.summary(everything).rows] == [14]
        hours = TrafficQuery((Dimension.HOUR,), sort=TrafficSort.LABELS, limit=1, until=1)
        assert usage.summary(hours).rows == ()

    def test_the_keys_among_the_rows_have_their_names_whatever_became_of_them(
        self, transport: Transport, usage: UsageTransport
    ) -> None:
        transport.register(new_key(1, "prod"))
        transport.register(new_key(2, "gone"))
        transport.register(new_key(3, "idle"))
        usage.append([by_key(1), by_key(2), call()])
        transport.revoke([key_id(2)], None)

        summary = usage.summary(TrafficQuery((Dimension.OUTCOME, Dimension.KEY)))
        assert dict(summary.key_names) == {key_id(1): "prod", key_id(2): "gone"}
        assert {row.labels[1] for row in summary.rows} == {key_id(1), key_id(2), None}

    # Forgetting

    def test_whole_hours_are_forgotten_and_last_uses_stay(
        self, transport: Transport, usage: UsageTransport, clock: Clock
    ) -> None:
        transport.register(new_key(1))
        usage.append([by_key(1, BEGIN + HOUR - 1), by_key(1, BEGIN + HOUR), by_key(1, BEGIN + 2 * HOUR)])
        clock.forward(5)

        assert usage.prune(BEGIN + HOUR + 1800) == 1
        assert [event.time for event in everything(usage)] == [BEGIN + HOUR, BEGIN + 2 * HOUR]
        assert [row.calls for row in usage.summary(TrafficQuery(())).rows] == [2]
        assert usage.prune(BEGIN + 3 * HOUR) == 2
        assert usage.prune(BEGIN + 3 * HOUR) == 0
        assert everything(usage) == []
        assert transport.find(key_id(1)).last_used_at == BEGIN + 2 * HOUR

    # The audit

    def test_an_audit_finds_by_the_rules_the_keys_and_the_thresholds_that_it_is_given(
        self, transport: Transport, usage: UsageTransport, clock: Clock
    ) -> None:
        transport.register(new_key(1, "web"))
        transport.register(new_key(2, "app"))
        in_url = ("key_in_url",)
        usage.append([by_key(1, NOW + 1, flags=in_url), by_key(2, NOW + 2, flags=in_url)])
        usage.append([call(NOW + n, sha256=sha256(50 + n), outcome="unknown", status=401) for n in range(4)])
        clock.forward(60)

        def found(**conditions: Any) -> set[tuple[str, KeyId | None]]:
            query = AuditQuery(**({"since": NOW - DAY, "until": NOW + 60} | conditions))
            return {(finding.rule.value, finding.key_id) for finding in usage.audit(query)}

        url, guessing = RuleName.KEY_IN_URL, RuleName.GUESSING
        both = {("key-in-url", key_id(1)), ("key-in-url", key_id(2))}
        assert found(rules=(url,)) == both
        assert found(rules=(url,), key_ids=(key_id(2),)) == {("key-in-url", key_id(2))}
        assert found(rules=(url,), until=NOW - HOUR) == set()
        assert found(rules=(url, guessing)) == both
        assert found(rules=(url, guessing), policy=Policy(guessing_keys=3)) == both | {("guessing", None)}

    def test_a_finding_is_whole(self, transport: Transport, usage: UsageTransport, clock: Clock) -> None:
        transport.register(new_key(1, "web"))
        usage.append([by_key(1, NOW + n, flags=("key_in_url",)) for n in (1, 2)])
        clock.forward(60)

        [finding] = usage.audit(AuditQuery(NOW - DAY, NOW + 60, rules=(RuleName.KEY_IN_URL,)))
        assert (finding.severity, finding.key_name, finding.count) == ("high", "web", 2)
        assert (finding.first_at, finding.last_at) == (NOW + 1, NOW + 2)
        assert finding.addresses == ("192.0.2.7",)
        assert finding.evidence
        assert finding.remedy

    def test_an_audit_of_a_key_that_is_not_there_says_so(self, transport_of: TransportOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        theirs.register(new_key(2))
        for missing in (1, 2):
            with pytest.raises(KeyNotFoundError):
                ours.usage.audit(AuditQuery(NOW - DAY, NOW, key_ids=(key_id(missing),)))
