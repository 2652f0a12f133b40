"""stale, old, no-expiry: what the keys themselves tell, as far as the log can know it."""

from __future__ import annotations

from routic_cli.domain.audit.findings import RuleName, Severity
from tests.support.audit_world import DAY, HOUR, MONDAY, AuditWorld

LATER = MONDAY + 365 * DAY


def test_a_key_unused_for_long_is_stale(world: AuditWorld) -> None:
    key = world.key(1, "prod", at=MONDAY - 200 * DAY)
    world.call(key, MONDAY - 90 * DAY)

    found = world.finding(RuleName.STALE)

    assert (found.severity, found.count, found.last_at, found.addresses) == (Severity.LOW, 0, None, ())
    assert found.evidence.startswith("Last used 90 days ago")
    assert found.remedy == "routic keys revoke prod --reason unused"


def test_a_key_never_used_since_it_was_made_is_stale(world: AuditWorld) -> None:
    world.call(world.key(1, at=MONDAY - 300 * DAY), MONDAY - 200 * DAY)
    world.call(world.key(2), MONDAY - HOUR)
    world.key(3, "forgotten", at=MONDAY - 100 * DAY)

    stale = {each.key_name: each.evidence for each in world.findings(RuleName.STALE)}

    assert stale.keys() == {"key-1", "forgotten"}
    assert stale["forgotten"].startswith("Made 100 days ago, and never used as far as the log tells")


def test_a_log_younger_than_the_threshold_calls_no_key_stale(world: AuditWorld) -> None:
    world.key(1, at=MONDAY - 300 * DAY)
    assert world.findings(RuleName.STALE) == []

    world.call(world.key(2), MONDAY - 3 * DAY)
    assert world.findings(RuleName.STALE) == []
    assert [each.key_name for each in world.findings(RuleName.STALE, stale_days=3)] == ["key-1", "key-2"]


def test_a_pruned_log_still_knows_the_last_use(world: AuditWorld) -> None:
    world.call(world.key(1, at=MONDAY - 300 * DAY), MONDAY - 100 * DAY)
    world.flush()
    world.store.usage.prune(MONDAY - 10 * DAY)

    assert world.finding(RuleName.STALE).evidence.startswith("Last used 100 days ago")


def test_a_key_used_yesterday_or_made_lately_or_dead_is_not_stale(world: AuditWorld) -> None:
    world.call(world.key(1, at=MONDAY - 300 * DAY), MONDAY - 89 * DAY)
    world.call(world.key(2, at=MONDAY - 300 * DAY), MONDAY - 200 * DAY)
    world.revoke(2, at=MONDAY - 2 * DAY)
    world.key(3, at=MONDAY - 89 * DAY)
    world.key(4, at=MONDAY - 300 * DAY, expires_at=MONDAY - DAY)

    assert world.findings(RuleName.STALE) == []


def test_a_secret_not_rotated_for_long_is_old(world: AuditWorld) -> None:
    world.key(1, "prod", at=MONDAY - 400 * DAY)
    world.rotate(1, 2, at=MONDAY - 180 * DAY)

    found = world.finding(RuleName.OLD)

    assert (found.severity, found.remedy) == (Severity.LOW, "routic rotate prod")
    assert found.evidence.startswith("Its secret (version 2) is 180 days old")


def test_a_secret_rotated_lately_or_of_a_dead_key_is_not_old(world: AuditWorld) -> None:
    world.key(1, at=MONDAY - 400 * DAY)
    world.rotate(1, 2, at=MONDAY - 179 * DAY)
    world.key(2, at=MONDAY - 400 * DAY)
    world.revoke(2, at=MONDAY - DAY)

    assert world.findings(RuleName.OLD) == []
    assert world.findings(RuleName.OLD, old_days=179) != []


def test_a_key_that_never_ends_is_found(world: AuditWorld) -> None:
    world.key(1, "prod", at=MONDAY - DAY)

    found = world.finding(RuleName.NO_EXPIRY)

    assert (found.severity, found.remedy) == (Severity.LOW, "routic keys update prod --expires 180d")


def test_a_key_that_ends_or_has_ended_is_not_found(world: AuditWorld) -> None:
    world.key(1, expires_at=LATER)
    world.key(2, expires_at=MONDAY - DAY)
    world.key(3)
    world.revoke(3, at=MONDAY - DAY)

    assert world.findings(RuleName.NO_EXPIRY) == []


def test_a_name_that_a_shell_would_take_apart_is_quoted(world: AuditWorld) -> None:
    world.key(1, "team's; key")

    assert world.finding(RuleName.NO_EXPIRY).remedy == """routic keys update 'team'"'"'s; key' --expires 180d"""
