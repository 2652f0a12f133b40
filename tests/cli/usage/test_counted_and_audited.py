"""`routic usage show` and `routic usage audit` answer the same of a file and through a server."""

from __future__ import annotations

import json

import pytest

from tests.cli.usage.conftest import DAY, Logged
from tests.support.terminal import Terminal

HOUR = 3600


def test_usage_is_counted_by_key_with_the_costs_added_up_exactly(logged: Logged) -> None:
    rows = logged.ok("usage", "show", "--json").data["data"]
    assert rows == [
        {
            "object": "usage.summary",
            "key_id": logged.key_id,
            "key_name": "web",
            "calls": 5,
            "errors": 0,
            "tokens_in": 0,
            "tokens_out": 0,
            "cost": 0.0325,
            "first_at": logged.began - 5 * DAY,
            "last_at": logged.began - DAY,
        }
    ]
    assert logged.ok("usage", "show").out.split("\t")[:7] == [logged.key_id, "web", "5", "0", "0", "0", "0.0325"]


@pytest.mark.parametrize(
    ("by", "labels"), [("address", [f"192.0.2.{n}" for n in range(1, 6)]), ("agent", ["curl/8.5.0"]), ("model", [None])]
)
def test_usage_is_counted_by_what_is_asked_for(logged: Logged, by: str, labels: list[str | None]) -> None:
    rows = logged.ok("usage", "show", "--by", by, "--sort", "name", "--json").data["data"]
    assert [row[by] for row in rows] == labels


def test_hours_are_counted_where_the_calls_were(logged: Logged) -> None:
    hours = logged.ok("usage", "show", "--by", "hour", "--fields", "hour,calls", "web").data["data"]
    expected = [(logged.began - n * DAY) // HOUR * HOUR for n in (5, 4, 3, 2, 1)]
    assert hours == [{"hour": hour, "calls": 1} for hour in expected]


def test_a_person_sees_money_in_the_currency_of_the_account(logged: Logged) -> None:
    with Terminal(logged.sandbox, "usage", "show", columns=120, env={"NO_COLOR": "1"}) as terminal:
        done = terminal.finish()
    assert done.code == 0
    assert "COST USD" in done.out
    assert " 0.0325 " in done.out


def test_the_audit_looks_at_the_calls_and_the_keys(logged: Logged) -> None:
    done = logged.ok("usage", "audit", "--rule", "no-expiry", "--json")
    assert {each["key_name"] for each in done.data["data"]} == {"ops", "web"}
    assert "Looked at 5 calls with 1 key" in done.err
    assert logged.run("usage", "audit", "--rule", "no-expiry", "--fail-on", "low", "--key", "web").code == 9
    assert logged.run("usage", "audit", "--key", "nosuch").code == 3


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_each_form_has_every_finding(logged: Logged, form: str) -> None:
    out = logged.ok("usage", "audit", "--rule", "no-expiry", "--format", form).out
    assert out.count("never ends:") == 2


def test_sarif_names_the_keys(logged: Logged) -> None:
    log = json.loads(logged.ok("usage", "audit", "--rule", "no-expiry", "--format", "sarif").out)
    found = [each["locations"][0]["logicalLocations"][0]["name"] for each in log["runs"][0]["results"]]
    assert sorted(found) == ["ops", "web"]
