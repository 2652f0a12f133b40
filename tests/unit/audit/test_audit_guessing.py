"""guessing: many different unknown keys from one address in a day; not one wrong key, however often it is repeated."""

from __future__ import annotations

from typing import Any

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.secret import fingerprint_of
from tests.support.audit_world import DAY, HOUR, MONDAY, SINCE, AuditWorld

RULE = RuleName.GUESSING


def tried(world: AuditWorld, n: int, at: int, address: str = "203.0.113.9", **fields: Any) -> None:
    sha256 = fingerprint_of(f"guess {n}")
    world.call(None, at, sha256=sha256, address=address, **{"outcome": "unknown", "status": 401, **fields})


def test_different_keys_from_one_address_within_a_day_are_found(world: AuditWorld) -> None:
    for n in range(5):
        tried(world, n, MONDAY - DAY + n * HOUR, times=n + 1)

    found = world.finding(RULE)

    assert (found.severity, found.count, found.key_id, found.remedy) == (Severity.HIGH, 5, None, None)
    assert (found.first_at, found.last_at) == (MONDAY - DAY, MONDAY - DAY + 4 * HOUR)
    assert "5 different unknown keys in 15 calls from 1 address" in found.evidence


def test_several_addresses_are_one_finding_the_busiest_first(world: AuditWorld) -> None:
    for n in range(12):
        tried(world, n, MONDAY - DAY, f"203.0.113.{n % 2}", outcome="malformed", times=2 if n % 2 else 1)

    found = world.finding(RULE)

    assert found.count == 12
    assert found.addresses == ("203.0.113.1", "203.0.113.0")


def test_one_stale_key_ten_thousand_times_is_not_found(world: AuditWorld) -> None:
    tried(world, 1, MONDAY - DAY, times=10_000)

    assert world.findings(RULE) == []


def test_four_keys_are_not_found(world: AuditWorld) -> None:
    for n in range(4):
        tried(world, n, MONDAY - DAY, times=100)

    assert world.findings(RULE) == []
    assert world.findings(RULE, guessing_keys=4) != []


def test_the_stale_keys_of_an_office_over_a_week_are_not_found(world: AuditWorld) -> None:
    for n in range(7):
        tried(world, n, SINCE + n * DAY + 9 * HOUR, times=20)

    assert world.findings(RULE) == []


def test_calls_without_what_could_be_a_key_are_not_found(world: AuditWorld) -> None:
    for n in range(50):
        world.call(None, MONDAY - DAY + n, outcome="malformed", status=401, address="203.0.113.9")
        world.call(None, MONDAY - DAY + n, outcome="missing", status=401, address="203.0.113.9")

    assert world.findings(RULE) == []


def test_keys_from_as_many_addresses_are_not_found(world: AuditWorld) -> None:
    for n in range(20):
        tried(world, n, MONDAY - DAY, f"203.0.113.{n}")

    assert world.findings(RULE) == []


def test_the_audit_of_one_key_is_not_about_unknown_ones(world: AuditWorld) -> None:
    key = world.settled(1)
    for n in range(9):
        tried(world, n, MONDAY - DAY)

    assert world.findings(RULE, keys=(key,)) == []


def test_a_time_without_bounds_is_looked_at_as_far_as_there_is_a_log(world: AuditWorld) -> None:
    for n in range(5):
        tried(world, n, MONDAY - 30 * DAY)

    assert world.finding(RULE, since=0).count == 5


def test_an_empty_log_is_looked_at(world: AuditWorld) -> None:
    assert world.findings(RULE, since=0) == []


def test_an_office_beside_somebody_who_guesses_is_not_among_the_addresses(world: AuditWorld) -> None:
    for n in range(7):
        tried(world, n, SINCE + n * DAY, "198.51.100.1")
        tried(world, 10 + n, MONDAY - DAY)

    found = world.finding(RULE)

    assert (found.count, found.addresses) == (7, ("203.0.113.9",))


def test_the_addresses_of_one_ipv6_network_are_one_and_the_block_is_named(world: AuditWorld) -> None:
    for n in range(300):
        tried(world, n, MONDAY - DAY + n * 60, f"2001:db8:7:9::{n + 1:x}")

    found = world.finding(RULE)

    assert (found.count, found.addresses) == (300, ("2001:db8:7:9::/64",))
    assert "from 1 address, the most (300) from 2001:db8:7:9::/64" in found.evidence


def test_neighbours_in_ipv6_are_not_one(world: AuditWorld) -> None:
    for n in range(20):
        tried(world, n, MONDAY - DAY, f"2001:db8:7:{n}::1")

    assert world.findings(RULE) == []


def test_a_few_minutes_around_midnight_are_one_day(world: AuditWorld) -> None:
    for n in range(8):
        tried(world, n, MONDAY - DAY - 240 + n * 60)

    assert world.finding(RULE).count == 8
    assert world.finding(RULE, since=MONDAY - DAY - 300).count == 8


def test_keys_from_many_addresses_with_few_each_are_found(world: AuditWorld) -> None:
    for n in range(1200):
        tried(world, n, SINCE + n * 500, f"203.0.{n % 300}.9")

    found = world.finding(RULE)

    assert 160 < found.count < 180
    assert "within a day, from " in found.evidence
    assert found.last_at is not None
    assert found.first_at is not None
    assert found.last_at - found.first_at < DAY


def test_one_key_from_thousands_of_addresses_is_not_found(world: AuditWorld) -> None:
    for n in range(3000):
        tried(world, n % 3, MONDAY - DAY + n, f"203.{n % 200}.{n // 200}.9")

    assert world.findings(RULE) == []


def test_who_guesses_from_one_address_does_not_make_the_others_guess(world: AuditWorld) -> None:
    for n in range(500):
        tried(world, n, MONDAY - DAY)
    for n in range(50):
        tried(world, 1000 + n, MONDAY - DAY, f"198.51.100.{n}")

    assert world.finding(RULE).addresses == ("203.0.113.9",)
