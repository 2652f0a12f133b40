"""Usage as JSON: costs to the billionth, events named by their place, replies that are not to be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.audit.findings import AuditQuery, Finding, RuleName, Severity
from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.times import LATEST
from routic_cli.domain.traffic import Dimension, EventQuery, Summary, Traffic, TrafficQuery, TrafficSort
from routic_cli.domain.usage import BILLIONTHS, EARLIEST, MOST_COST, EventMark, UsageEvent, event_id
from routic_cli.transport.wire.objects import list_object
from routic_cli.transport.wire.queries import Asked
from routic_cli.transport.wire.usage import (
    MOST_EVENTS,
    appended_from,
    billionths,
    cost_number,
    event_from,
    event_object,
    events_body,
    events_from,
    finding_object,
    findings_from,
    page_of_events_from,
    pruned_from,
    summary_from,
    summary_object,
)
from routic_cli.transport.wire.usage_queries import (
    audit_parameters,
    audit_query_from,
    event_parameters,
    event_query_from,
    traffic_parameters,
    traffic_query_from,
)
from tests.support.keys import NOW, key_id, sha256

EVENT = UsageEvent(
    NOW, "allowed", "POST", "/v1", 200, "192.0.2.7", "curl", "r", key_id=key_id(1), version=1, identity=5
)
ROW = Traffic((key_id(1), NOW), 3, 1, 5, 6, 7, NOW, NOW + 1)
BY = (Dimension.KEY, Dimension.HOUR)
FINDING = Finding(
    RuleName.GUESSING, Severity.HIGH, None, None, 9, NOW, None, ("192.0.2.7",), "Nine keys were tried.", None
)


def sent(data: object) -> Any:
    """What arrives of it."""
    return json.loads(json.dumps(data))


@given(st.integers(0, MOST_COST * BILLIONTHS))
def test_a_cost_that_a_call_can_have_is_the_same_after_the_journey(cost: int) -> None:
    number = cost_number(cost)
    assert number is not None
    assert billionths(sent(number)) == cost


@pytest.mark.parametrize(("number", "cost"), [(0, 0), (3, 3 * BILLIONTHS), (0.1, 100_000_000), (1e-9, 1), (1e-10, 0)])
def test_a_number_of_the_currency_is_read_as_it_is_written(number: float, cost: int) -> None:
    assert event_from({"time": 5, "outcome": "allowed", "cost": number}).cost == cost


def test_an_event_needs_a_time_and_an_outcome_and_what_it_has_beside_its_fields_is_passed_over() -> None:
    assert event_from({"time": 5, "outcome": "allowed", "colour": "red"}) == UsageEvent(
        5, "allowed", "", "", 0, "", "", ""
    )
    for missing in ({"time": 5}, {"outcome": "allowed"}):
        with pytest.raises(InvalidRequestError):
            event_from(missing)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time", -1),
        ("time", 1 << 60),
        ("time", True),
        ("time", "tomorrow"),
        ("outcome", None),
        ("object", "api_key"),
        ("id", "evt_5"),
        ("key_id", "sk-abcdefghijk"),
        ("version", 0),
        ("sha256", "deadbeef"),
        ("status", 1000),
        ("tokens_in", -1),
        ("tokens_out", 10**13),
        ("cost", -0.1),
        ("cost", 1000.000001),
        ("cost", 1e7),
        ("cost", "7.5"),
        ("cost", float("nan")),
        ("cost", True),
        ("flags", ["sweet"]),
        ("flags", None),
        ("path", 5),
        ("colour", "red"),
    ],
)
def test_of_a_batch_the_wrong_event_is_named_by_its_place_and_never_by_its_value(field: str, value: object) -> None:
    good = event_object(EVENT)
    with pytest.raises(InvalidRequestError) as caught:
        events_from(events_body([good, good, good | {field: value}]), NOW)
    assert caught.value.what.startswith("events[2]")
    assert (caught.value.param or "").startswith("events[2]")
    if isinstance(value, str):
        assert value not in caught.value.sentences()[0].removeprefix("events[2]")


@pytest.mark.parametrize(
    "path", ["/v1/a?email=a@example.com", "/v1/a#f", "/v1/a?x#f", "https://g.example/v1/a?x", "/v1/a"]
)
def test_a_path_comes_in_without_its_query(path: str) -> None:
    assert events_from(events_body([event_object(EVENT) | {"path": path}]), NOW)[0].path == "/v1/a"


def test_a_store_may_have_calls_that_nobody_could_report_any_more() -> None:
    old = EVENT._replace(time=7, cost=5 * MOST_COST * BILLIONTHS)
    assert page_of_events_from(sent(list_object([event_object(old)]))).events == (old,)


@pytest.mark.parametrize("time", [0, EARLIEST - 1, NOW + 86_401, LATEST])
def test_an_event_of_a_clock_that_is_wrong_is_named_by_its_place(time: int) -> None:
    good = event_object(EVENT)
    for right in (EARLIEST, NOW + 86_400):
        events_from(events_body([good | {"time": right}]), NOW)
    with pytest.raises(InvalidRequestError) as caught:
        events_from(events_body([good, good | {"time": time}]), NOW)
    assert caught.value.param == "events[1].time"


@pytest.mark.parametrize("path", ["", None])
def test_a_call_may_have_no_path(path: str | None) -> None:
    assert events_from(events_body([event_object(EVENT) | {"path": path}]), NOW)[0].path == ""


def test_a_batch_has_an_end() -> None:
    one = {"time": NOW, "outcome": "allowed"}
    assert len(events_from({"events": [one] * MOST_EVENTS}, NOW)) == MOST_EVENTS
    with pytest.raises(InvalidRequestError):
        events_from({"events": [one] * (MOST_EVENTS + 1)}, NOW)


def test_of_an_id_only_the_part_behind_the_second_counts() -> None:
    moved = event_object(EVENT) | {"id": event_id(EventMark(77, 5))}
    assert event_from(moved) == EVENT


def test_what_is_written_is_read() -> None:
    unknown = EVENT._replace(key_id=None, version=None, sha256=sha256(1), flags=("plain_http",), cost=1, model="m")
    assert events_from(sent(events_body(list(map(event_object, [EVENT, unknown])))), NOW) == [EVENT, unknown]
    assert page_of_events_from(sent(list_object([event_object(EVENT)]))).events == (EVENT,)
    names = {key_id(1): "web"}
    assert summary_from(sent(list_object([summary_object(ROW, BY, names)])), BY) == Summary((ROW,), names)
    assert findings_from(sent(list_object([finding_object(FINDING)]))) == [FINDING]


def broken(field: str, *values: object) -> list[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Ways to spoil an object: without the field, and with each of these in its place."""
    without: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
        lambda item: {name: value for name, value in item.items() if name != field}
    ]
    return [*without, *((lambda item, value=value: item | {field: value}) for value in values)]


@pytest.mark.parametrize("field", ["hour", "key_id", "calls", "errors", "tokens_in", "cost", "first_at", "last_at"])
def test_a_row_that_lacks_something_is_not_believed(field: str) -> None:
    for spoil in broken(field, "many", [], {}) if field != "key_id" else broken(field, 5):
        with pytest.raises(InvalidRequestError):
            summary_from(list_object([spoil(summary_object(ROW, BY, {}))]), BY)


@pytest.mark.parametrize("field", ["rule", "severity", "count", "addresses", "evidence"])
def test_a_finding_that_lacks_something_is_not_believed(field: str) -> None:
    for spoil in broken(field, 5.5, "unheard of" if field != "evidence" else [], None):
        with pytest.raises(InvalidRequestError):
            findings_from(list_object([spoil(finding_object(FINDING))]))


def test_replies_that_say_something_else_are_not_believed() -> None:
    lists: list[object] = [None, [], {}, {"data": 5}, {"data": [5], "has_more": False}]
    for data in lists:
        for read in (page_of_events_from, findings_from, lambda data: summary_from(data, BY)):
            with pytest.raises(InvalidRequestError):
                read(data)
    for data in ({}, {"new": 1}, {"new": 1, "known": 1}, {"new": -1, "known": 4}, {"new": True, "known": 2}):
        with pytest.raises(InvalidRequestError):
            appended_from(data, 3)
    for data in ({}, {"events": -1}, {"events": "3"}):
        with pytest.raises(InvalidRequestError):
            pruned_from(data)
    with pytest.raises(InvalidRequestError):
        page_of_events_from(list_object([event_object(EVENT._replace(identity=None))]))


def test_what_is_asked_arrives_as_it_was_asked() -> None:
    events = EventQuery(5, 6, (key_id(1), key_id(2)), EventMark(5, -9), 7)
    assert event_query_from(Asked(event_parameters(events))) == events
    traffic = TrafficQuery(BY, 5, 6, (key_id(1),), 3, ("revoked", "a code"), "plain_http")
    assert traffic_query_from(Asked(traffic_parameters(traffic))) == traffic
    busiest = TrafficQuery(BY, sort=TrafficSort.TOKENS_IN, descending=True, limit=100_000)
    assert traffic_query_from(Asked(traffic_parameters(busiest))) == busiest
    # More than a reply holds is asked for as all there is, and never as less than was asked for.
    assert traffic_query_from(Asked(traffic_parameters(replace(busiest, limit=100_001)))).limit is None
    policy = Policy(guessing_keys=9, old_days=1)
    audit = AuditQuery(5, 6, (RuleName.STALE, RuleName.OLD), (key_id(1),), policy)
    assert audit_query_from(Asked(audit_parameters(audit)), NOW) == audit
    assert len(audit_parameters(audit)) == 2 + 2 + 1 + 2


def test_an_audit_is_of_the_last_week_unless_it_says_otherwise() -> None:
    assert audit_query_from(Asked([]), NOW) == AuditQuery(NOW - 7 * 86_400, NOW)
    assert audit_query_from(Asked([]), 5).since == 0


@pytest.mark.parametrize(
    "text", ["old_days", "old_days:", "old_days:0", "old_days:-1", "old_days:1.5", "nosuch:5", ":5"]
)
def test_a_threshold_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        audit_query_from(Asked([("policy", text)]), NOW)
    assert caught.value.param == "policy"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("by", "colour"),
        ("flag", "sweet"),
        ("key_id", "sk-abc"),
        ("version", "0"),
        ("since", "-1"),
        ("sort", "colour"),
        ("limit", "0"),
        ("limit", "100001"),
        ("colour", "red"),
    ],
)
def test_a_question_that_is_none_is_refused_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        traffic_query_from(Asked([(name, value)]))
    assert "sk-abc" not in " ".join(caught.value.sentences())


def test_what_is_counted_by_twice_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        traffic_query_from(Asked([("by", "key"), ("by", "key")]))
