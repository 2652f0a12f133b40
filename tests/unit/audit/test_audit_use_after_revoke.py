"""use-after-revoke: calls after the end of a secret are found; what was under way at its end is not."""

from __future__ import annotations

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.keys import KeyId
from tests.support.audit_world import DAY, HOUR, MONDAY, NODE, SINCE, AuditWorld
from tests.support.keys import key_id

RULE = RuleName.USE_AFTER_REVOKE
END = MONDAY - 3 * DAY + 1800
MINUTE = 60


def revoked(world: AuditWorld) -> KeyId:
    """A key that called until it was revoked."""
    key = world.settled(1, "prod", until=END)
    world.revoke(1, at=END)
    return key


def test_refused_calls_from_where_the_key_was_used_are_a_service_that_was_not_updated(world: AuditWorld) -> None:
    world.call(revoked(world), END + HOUR, outcome="revoked", status=401, times=3, address="10.1.1.8")

    found = world.finding(RULE)

    assert (found.severity, found.count, found.key_name) == (Severity.HIGH, 3, "prod")
    assert (found.first_at, found.last_at) == (END + HOUR, END + HOUR)
    assert "3 refused, 0 let in" in found.evidence
    assert "probably a service that was not updated" in found.evidence
    assert found.addresses == ("10.1.1.8",)
    assert found.remedy == "routic keys create --name prod"


def test_refused_calls_from_a_new_network_are_a_leak(world: AuditWorld) -> None:
    key = revoked(world)
    world.call(key, END + HOUR, outcome="revoked", status=401)
    world.call(key, END + DAY, outcome="revoked", status=401, times=5, address="203.0.113.9", agent=NODE)

    found = world.finding(RULE)

    assert found.count == 6
    assert "5 calls from networks that never used it before (203.0.113.0/24): treat it as a leak" in found.evidence
    assert found.addresses == ("203.0.113.9", "10.1.1.7")


def test_a_version_that_ended_with_its_grace_is_found_and_its_successor_is_not(world: AuditWorld) -> None:
    key = world.settled(1, "prod", until=END)
    world.rotate(1, 2, at=END - DAY, grace=DAY)
    world.call_hourly(key, END - DAY, MONDAY, version=2)
    world.call(key, END + 2 * HOUR, outcome="replaced", status=401, times=2)

    found = world.finding(RULE)

    assert found.count == 2
    assert "with version 1" in found.evidence
    assert found.remedy == "routic rotate prod --status"


def test_calls_let_in_long_after_the_end_are_found(world: AuditWorld) -> None:
    world.call(revoked(world), END + 2 * HOUR, times=4)

    found = world.finding(RULE)

    assert "0 refused, 4 let in" in found.evidence
    assert found.remedy == "routic doctor"


def test_of_an_hour_that_the_end_lies_in_only_what_is_behind_it_is_told(world: AuditWorld) -> None:
    key = revoked(world)
    world.call(key, END - 20 * MINUTE, times=50)
    world.call(key, END + 11 * MINUTE)

    found = world.finding(RULE)

    assert (found.count, found.first_at, found.last_at) == (1, END + 11 * MINUTE, END + 11 * MINUTE)


def test_a_slow_stream_that_was_let_in_before_the_end_is_not_found(world: AuditWorld) -> None:
    world.call(revoked(world), END + 10 * MINUTE)

    assert world.findings(RULE) == []
    assert world.findings(RULE, in_flight_minutes=9) != []


def test_a_key_that_has_just_expired_is_not_found(world: AuditWorld) -> None:
    world.key(1, expires_at=END)
    world.call_hourly(key_id(1), END, MONDAY, outcome="expired", status=401)

    assert world.findings(RULE) == []


def test_an_old_version_of_a_key_that_expired_later_is_found(world: AuditWorld) -> None:
    world.key(1, expires_at=END)
    world.rotate(1, 2, at=END - 3 * DAY, grace=DAY)
    world.call(key_id(1), END + HOUR, outcome="expired", status=401)

    assert world.finding(RULE).count == 1


def test_an_end_that_is_still_to_come_is_none(world: AuditWorld) -> None:
    key = world.settled(1)
    world.rotate(1, 2, at=MONDAY - HOUR, grace=DAY)
    world.call(key, MONDAY - 60)

    assert world.findings(RULE) == []


def test_what_was_before_the_time_that_is_looked_at_is_left_out(world: AuditWorld) -> None:
    key = world.key(1)
    world.revoke(1, at=SINCE - 3 * DAY)
    world.call(key, SINCE - 2 * DAY, outcome="revoked", status=401)

    assert world.findings(RULE) == []
    assert world.findings(RULE, since=SINCE - 3 * DAY) != []


def test_a_dead_keys_name_may_be_anothers_so_that_it_is_not_in_a_command(world: AuditWorld) -> None:
    key = revoked(world)
    world.key(2, "prod")
    world.call(key, END + DAY, outcome="revoked", status=401, address="203.0.113.9")

    assert world.finding(RULE).remedy == f"routic usage show --key {key} --by address"


def test_a_network_that_was_let_in_only_after_the_end_is_not_known_for_it(world: AuditWorld) -> None:
    world.call(revoked(world), END + DAY, address="203.0.113.9", times=2)

    assert "2 calls from networks that never used it before" in world.finding(RULE).evidence


def test_without_a_call_from_before_there_is_nothing_to_call_it_a_service(world: AuditWorld) -> None:
    world.key(1)
    world.revoke(1, at=END)
    world.call(key_id(1), END + DAY, outcome="revoked", status=401)

    assert "no call from before the end to compare with: treat it as a leak" in world.finding(RULE).evidence


def test_several_versions_of_a_key_are_one_finding(world: AuditWorld) -> None:
    key = world.settled(1, until=END - 2 * DAY)
    world.rotate(1, 2, at=END - 2 * DAY, grace=DAY)
    world.rotate(1, 3, at=END - DAY, grace=DAY)
    world.call(key, END + HOUR, outcome="replaced", status=401)
    world.call(key, END + HOUR, outcome="replaced", status=401, version=2)

    assert "2 calls with version 1, 2 after" in world.finding(RULE).evidence


def test_calls_that_name_no_version_are_after_the_end_of_the_key(world: AuditWorld) -> None:
    world.call(revoked(world), END + HOUR, outcome="revoked", status=401, version=None)

    assert world.finding(RULE).evidence.startswith("1 call after the key was revoked")


def test_a_refusal_counts_from_the_end_on(world: AuditWorld) -> None:
    world.call(revoked(world), END + MINUTE, outcome="revoked", status=401)

    assert world.finding(RULE).count == 1


def test_the_history_is_that_before_the_end_however_long_ago(world: AuditWorld) -> None:
    key = world.key(1, at=MONDAY - 90 * DAY)
    world.call_hourly(key, MONDAY - 70 * DAY, MONDAY - 60 * DAY)
    world.revoke(1, at=MONDAY - 60 * DAY)
    world.call(key, MONDAY - DAY, outcome="revoked", status=401)

    assert "probably a service that was not updated" in world.finding(RULE).evidence
