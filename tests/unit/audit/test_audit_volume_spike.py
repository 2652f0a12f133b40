"""volume-spike: an hour far above a key's own history; the rhythm of the week and a busy month's end are not."""

from __future__ import annotations

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.keys import KeyId
from tests.support.audit_world import DAY, HOUR, MONDAY, SINCE, AuditWorld

RULE = RuleName.VOLUME_SPIKE
NOON = MONDAY - 4 * DAY + 12 * HOUR  # of a Thursday


def weekly(world: AuditWorld, *, busy: int = 100, night: int = 5) -> KeyId:
    """A key with office hours."""
    key = world.key(1, "prod")
    for day in range(MONDAY - 42 * DAY, MONDAY, DAY):
        weekend = (day - MONDAY) // DAY % 7 >= 5
        for hour in range(24):
            times = busy if 8 <= hour < 18 and not weekend else night
            world.call(key, day + hour * HOUR, times=times + (hour * 7 + day // DAY) % 5)
    return key


def test_an_hour_far_above_all_others_is_found(world: AuditWorld) -> None:
    key = weekly(world)
    world.call(key, NOON, times=900, address="10.1.1.8")

    found = world.finding(RULE)

    assert found.severity is Severity.MEDIUM
    assert 1000 <= found.count <= 1010
    assert found.first_at == found.last_at == NOON
    assert found.addresses == ("10.1.1.8", "10.1.1.7")
    assert found.remedy == "routic usage show prod --by address"


def test_several_such_hours_are_one_finding(world: AuditWorld) -> None:
    key = weekly(world)
    for day in range(3):
        world.call(key, NOON + day * DAY, times=900)

    assert "3 such hours" in world.finding(RULE).evidence


def test_the_rhythm_of_the_week_is_not_found(world: AuditWorld) -> None:
    weekly(world, busy=2000)

    assert world.findings(RULE) == []
    assert world.findings(RULE, since=MONDAY - DAY) == []


def test_three_times_the_busiest_hours_is_not_found(world: AuditWorld) -> None:
    key = weekly(world)
    for hour in range(8):
        world.call(key, NOON - 4 * HOUR + hour * HOUR, times=200)

    assert world.findings(RULE) == []


def test_a_job_of_each_week_is_not_found(world: AuditWorld) -> None:
    key = weekly(world)
    for week in range(5):
        world.call(key, MONDAY - 7 * DAY * week - 22 * HOUR, times=3000)

    assert world.findings(RULE) == []


def test_a_job_of_each_month_is_not_found(world: AuditWorld) -> None:
    key = weekly(world)
    for days in (0, 31, 61):  # the same date of three months
        world.call(key, NOON - days * DAY, times=3000)

    assert world.findings(RULE) == []
    assert world.findings(RULE, since=NOON) == []
    assert world.findings(RULE, since=MONDAY - 10 * DAY) == []


def test_the_first_run_and_one_that_is_far_more_than_a_month_ago_are_found(world: AuditWorld) -> None:
    key = weekly(world)
    world.call(key, NOON - 30 * DAY, times=1000)
    world.call(key, NOON, times=3000)

    assert world.findings(RULE) != []


def test_another_hour_or_another_day_of_the_month_excuses_nothing(world: AuditWorld) -> None:
    key = weekly(world)
    world.call(key, NOON - 30 * DAY + 3 * HOUR, times=3000)
    world.call(key, NOON - 26 * DAY, times=3000)
    world.call(key, NOON, times=3000)

    assert world.findings(RULE) != []


def test_a_spike_of_the_history_does_not_excuse_the_next(world: AuditWorld) -> None:
    key = weekly(world)
    world.call(key, SINCE - 9 * DAY, times=3000)
    world.call(key, NOON, times=3000)

    assert world.findings(RULE) != []


def test_much_of_little_is_not_found(world: AuditWorld) -> None:
    key = weekly(world, busy=2, night=0)
    world.call(key, NOON, times=290)

    assert world.findings(RULE) == []
    assert world.findings(RULE, spike_calls=200) != []
    world.call(key, NOON + DAY, times=3000)
    assert "1 such hour" in world.finding(RULE).evidence


def test_a_key_without_a_history_is_not_found(world: AuditWorld) -> None:
    key = world.key(1)
    world.call_hourly(key, SINCE - 6 * DAY, MONDAY)
    world.call(key, NOON, times=5000)

    assert world.findings(RULE) == []


def test_a_key_that_is_now_silent_and_now_busy_is_left_more_room(world: AuditWorld) -> None:
    key = world.key(1)
    for day in range(42):
        world.call(key, MONDAY - 42 * DAY + day * DAY + 12 * HOUR, times=100 if day % 2 else 1)
    world.call(key, NOON, times=400)

    assert world.findings(RULE) == []
    assert world.findings(RULE, spike_score=4) != []
