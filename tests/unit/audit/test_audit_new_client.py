"""new-client: a program that a key's own history does not have; another version of one is no news."""

from __future__ import annotations

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.keys import KeyId
from tests.support.audit_world import CURL, DAY, MONDAY, SINCE, AuditWorld

RULE = RuleName.NEW_CLIENT


def test_a_program_never_seen_is_found(world: AuditWorld) -> None:
    key = world.settled(1, "prod")
    world.call(key, MONDAY - DAY, agent=CURL, times=2, address="10.1.1.9")

    found = world.finding(RULE)

    assert (found.severity, found.count, found.addresses) == (Severity.MEDIUM, 2, ("10.1.1.9",))
    assert "2 calls by curl" in found.evidence
    assert found.remedy == "routic rotate prod --now"


def test_calls_that_name_no_program_are_found(world: AuditWorld) -> None:
    world.call(world.settled(1), MONDAY - DAY, agent="")

    assert "no user agent" in world.finding(RULE).evidence


def test_a_deploy_with_another_version_is_not_found(world: AuditWorld) -> None:
    world.call(world.settled(1), MONDAY - DAY, agent="OpenAI/Python 3.0.0b1")
    world.call(world.settled(2, agent="python-httpx/0.28.1"), MONDAY - DAY, agent="python-httpx/1.0")

    assert world.findings(RULE) == []


def test_deploys_that_name_themselves_by_commit_or_behind_a_hyphen_are_not_found(world: AuditWorld) -> None:
    world.call(world.settled(1, agent="billing-api/3f2a9bc"), MONDAY - DAY, agent="billing-api/c0ffee1")
    world.call(world.settled(2, agent="billing-worker-2.6.0"), MONDAY - DAY, agent="billing-worker-2.7.0")

    assert world.findings(RULE) == []


def test_a_program_of_the_history_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call(key, SINCE - 20 * DAY, agent=CURL)
    world.call(key, MONDAY - DAY, agent=CURL)

    assert world.findings(RULE) == []


def test_a_key_that_always_meets_new_programs_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    for day in range(1, 35, 2):
        world.call(key, MONDAY - day * DAY, agent=f"tool{'x' * day}/1")

    assert world.findings(RULE) == []


def test_a_key_without_a_history_is_not_found(world: AuditWorld) -> None:
    key = world.key(1)
    world.call_hourly(key, SINCE - 6 * DAY, MONDAY)
    world.call(key, MONDAY - DAY, agent=CURL)

    assert world.findings(RULE) == []


def slept(world: AuditWorld, *, days: int = 100) -> KeyId:
    """A key that called for so many days, and then not for fifty."""
    key = world.key(1, "prod", at=MONDAY - 400 * DAY)
    world.call_hourly(key, MONDAY - (50 + days) * DAY, MONDAY - 50 * DAY, times=1)
    return key


def test_a_key_that_slept_for_weeks_is_compared_with_when_it_was_awake(world: AuditWorld) -> None:
    world.call(slept(world), MONDAY - DAY, times=500, agent=CURL)

    assert "500 calls by curl. The last 30 days of its use, until" in world.finding(RULE).evidence


def test_a_key_that_slept_and_wakes_where_it_was_is_not_found(world: AuditWorld) -> None:
    world.call(slept(world), MONDAY - DAY, times=500)

    assert world.findings(RULE) == []


def test_a_key_that_slept_and_was_hardly_ever_awake_is_not_found(world: AuditWorld) -> None:
    world.call(slept(world, days=6), MONDAY - DAY, times=500, agent=CURL)

    assert world.findings(RULE) == []
