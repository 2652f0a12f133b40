"""new-network: a block of addresses that a key's own history does not have; other addresses of a block are no news."""

from __future__ import annotations

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.keys import KeyId
from tests.support.audit_world import DAY, HOUR, MONDAY, SINCE, AuditWorld

RULE = RuleName.NEW_NETWORK


def test_a_block_never_seen_is_found(world: AuditWorld) -> None:
    key = world.settled(1, "prod")
    world.call(key, MONDAY - DAY, address="203.0.113.9", times=2)
    world.call(key, MONDAY - HOUR, address="2001:db8:1::5")

    found = world.finding(RULE)

    assert (found.severity, found.count) == (Severity.MEDIUM, 3)
    assert found.addresses == ("203.0.113.9", "2001:db8:1::5")
    assert "203.0.113.0/24, 2001:db8:1::/48" in found.evidence
    assert "1 other network only" in found.evidence
    assert found.remedy == "routic rotate prod --now"


def test_a_new_pod_in_the_same_block_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call(key, MONDAY - DAY, address="10.1.1.250")
    other = world.settled(2, address="2001:db8:1:1::5")
    world.call(other, MONDAY - DAY, address="2001:db8:1:2::6")

    assert world.findings(RULE) == []


def test_a_key_without_a_history_is_not_found(world: AuditWorld) -> None:
    young = world.key(1)
    world.call_hourly(young, SINCE - 6 * DAY - HOUR, MONDAY)
    seldom = world.key(2)
    world.call(seldom, SINCE - 20 * DAY, times=49)
    for key in (young, seldom):
        world.call(key, MONDAY - DAY, address="203.0.113.9")

    assert world.findings(RULE) == []
    assert len(world.findings(RULE, baseline_least_days=6, baseline_least_calls=49)) == 2


def test_a_refused_call_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call(key, MONDAY - DAY, address="203.0.113.9", outcome="replaced", status=401)

    assert world.findings(RULE) == []


def test_a_key_that_always_meets_new_blocks_is_not_found(world: AuditWorld) -> None:
    runner = world.settled(1)
    for day in range(1, 35, 2):
        world.call(runner, MONDAY - day * DAY, address=f"198.51.{day}.7")

    assert world.findings(RULE) == []


def test_a_key_that_moved_once_in_its_history_is_found_when_it_moves_again(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call_hourly(key, SINCE - 5 * DAY, MONDAY, address="198.51.100.7")
    world.call(key, MONDAY - DAY, address="203.0.113.9")

    assert world.finding(RULE).addresses == ("203.0.113.9",)


def test_another_accounts_calls_are_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call(key, MONDAY - DAY, address="203.0.113.9", account="prod")

    assert world.findings(RULE) == []


def slept(world: AuditWorld, *, days: int = 100) -> KeyId:
    """A key that called for so many days, and then not for fifty."""
    key = world.key(1, "prod", at=MONDAY - 400 * DAY)
    world.call_hourly(key, MONDAY - (50 + days) * DAY, MONDAY - 50 * DAY, times=1)
    return key


def test_a_key_that_slept_for_weeks_is_compared_with_when_it_was_awake(world: AuditWorld) -> None:
    world.call(slept(world), MONDAY - DAY, times=500, address="198.51.100.9")

    assert "500 calls from 198.51.100.0/24. The last 30 days of its use, until" in world.finding(RULE).evidence


def test_a_key_that_slept_and_wakes_where_it_was_is_not_found(world: AuditWorld) -> None:
    world.call(slept(world), MONDAY - DAY, times=500)

    assert world.findings(RULE) == []


def test_a_key_that_slept_and_was_hardly_ever_awake_is_not_found(world: AuditWorld) -> None:
    world.call(slept(world, days=6), MONDAY - DAY, times=500, address="198.51.100.9")

    assert world.findings(RULE) == []
