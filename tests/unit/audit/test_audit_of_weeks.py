"""Weeks of ordinary traffic give no high and no medium finding; planted incidents are found, each once, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from routic_cli.domain.audit.findings import AuditQuery, Finding, Severity
from routic_cli.importing.logs import nginx
from routic_cli.importing.logs.fields import Record
from routic_cli.service.usage import UsageService
from routic_cli.store.sqlite import SqliteStore
from tests.support.audit_world import DAY, HOUR, MONDAY
from tests.support.traffic import Plan, event_of, fill, nginx_line
from tests.support.traffic_plans import PLANTED, ordinary, with_incidents

WINDOWS = [DAY, 3 * DAY + 1234, 7 * DAY, 14 * DAY, 30 * DAY]


@contextmanager
def audited(folder: Path, plan: Plan, calls: int) -> Iterator[Callable[[int], list[Finding]]]:
    """The log of the plan, and how to ask what is found in its last seconds."""
    with closing(SqliteStore(folder / "keys.db", account="default")) as store:
        plan.register(store)
        service = UsageService(store, lambda: plan.end)
        fill(service, plan.scaled_to(calls))
        yield lambda length: service.audit(AuditQuery(plan.end - length, plan.end))


@pytest.mark.parametrize(
    ("seed", "end", "calls"),
    [(1, MONDAY, 100_000), (2, MONDAY + 15 * DAY, 30_000), (3, MONDAY + 21 * DAY + 11 * HOUR, 30_000)],
)
def test_ordinary_weeks_give_no_finding_of_weight(tmp_path: Path, seed: int, end: int, calls: int) -> None:
    with audited(tmp_path, ordinary(seed, end), calls) as findings:
        for length in WINDOWS:
            weighty = [each for each in findings(length) if each.severity is not Severity.LOW]
            assert weighty == [], length // HOUR


def test_each_planted_incident_is_found_once_and_nothing_else(tmp_path: Path) -> None:
    with audited(tmp_path, with_incidents(4, MONDAY), 100_000) as findings:
        found = findings(7 * DAY)

    assert sorted((each.rule, each.key_name) for each in found) == sorted(PLANTED.items())
    assert all(len(each.addresses) <= 10 for each in found)
    # The most severe first.
    assert [each.severity.rank for each in found] == sorted((each.severity.rank for each in found), reverse=True)


def test_a_line_of_the_traffic_is_read_as_the_event_that_it_is() -> None:
    plan = with_incidents(5, MONDAY).scaled_to(20_000)

    for n, call in enumerate(plan.calls()):
        record: Record = json.loads(nginx_line(call))
        assert nginx.read(record, 0) == event_of(call)._replace(identity=0), n


def test_the_same_seed_is_the_same_traffic_and_another_is_not() -> None:
    def lines(seed: int) -> list[str]:
        return [nginx_line(call) for call in ordinary(seed, MONDAY, days=3).scaled_to(2000).calls()]

    assert lines(1) == lines(1)
    assert lines(1) != lines(2)
