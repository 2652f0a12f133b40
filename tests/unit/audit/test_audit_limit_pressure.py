"""limit-pressure: a key that is often at its limit; a burst of an hour is not."""

from __future__ import annotations

from routic_cli.domain.audit.findings import RuleName, Severity
from tests.support.audit_world import DAY, HOUR, MONDAY, AuditWorld

RULE = RuleName.LIMIT_PRESSURE


def limited(world: AuditWorld, *, hours: int, times: int) -> None:
    key = world.key(1, "prod", rpm=60)
    for hour in range(hours):
        at = MONDAY - DAY + hour * HOUR
        world.call(key, at, times=100)
        world.call(key, at + 1, times=times, outcome="rate_limited", status=429)


def test_often_in_several_hours_is_found(world: AuditWorld) -> None:
    limited(world, hours=5, times=25)

    found = world.finding(RULE)

    assert (found.severity, found.count, found.addresses) == (Severity.LOW, 125, ("10.1.1.7",))
    assert "125 calls of 625 (20 %) refused at its limit of 60 a minute, in 5 hours" in found.evidence
    assert found.remedy == "routic keys create --name prod-2"


def test_a_burst_of_two_hours_is_not_found(world: AuditWorld) -> None:
    limited(world, hours=2, times=300)

    assert world.findings(RULE) == []


def test_a_small_share_is_not_found(world: AuditWorld) -> None:
    limited(world, hours=20, times=5)

    assert world.findings(RULE) == []
    assert world.findings(RULE, limited_percent=4) != []


def test_a_handful_is_not_found(world: AuditWorld) -> None:
    limited(world, hours=4, times=12)

    assert world.findings(RULE) == []


def test_a_name_as_long_as_can_be_has_room_for_its_number(world: AuditWorld) -> None:
    key = world.key(1, "n" * 64)
    world.call_hourly(key, MONDAY - DAY, MONDAY, times=50, outcome="rate_limited", status=429)

    assert world.finding(RULE).remedy == f"routic keys create --name {'n' * 62}-2"
