"""key-in-url, plain-http, browser-origin: how a key of ours travelled; a key of nobody here is not ours."""

from __future__ import annotations

from typing import Any

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.secret import fingerprint_of
from tests.support.audit_world import CURL, DAY, FIREFOX, HOUR, MONDAY, NODE, SINCE, AuditWorld

STRANGE: dict[str, Any] = {"outcome": "unknown", "status": 401, "sha256": fingerprint_of("strange")}
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def test_a_key_in_the_url_is_one_finding_however_often(world: AuditWorld) -> None:
    key = world.settled(1, "prod")
    world.call(key, MONDAY - DAY, flags=("key_in_url",), times=2)
    world.call(key, MONDAY - HOUR, flags=("key_in_url", "plain_http"), address="10.1.1.9")

    found = world.finding(RuleName.KEY_IN_URL)

    assert (found.severity, found.count) == (Severity.HIGH, 3)
    assert found.addresses == ("10.1.1.7", "10.1.1.9")
    assert found.remedy == "routic rotate prod --now"


def test_a_key_in_the_url_alone_is_nobodys(world: AuditWorld) -> None:
    world.call(None, MONDAY - DAY, outcome="key_in_url", status=401, flags=("key_in_url",), address="192.0.2.1")

    found = world.finding(RuleName.KEY_IN_URL)

    assert (found.key_id, found.remedy, found.addresses) == (None, None, ("192.0.2.1",))


def test_a_key_in_the_url_alone_that_a_log_knows_is_found_once(world: AuditWorld) -> None:
    key = world.key(1)
    world.call(key, MONDAY - DAY, outcome="key_in_url", status=401, flags=("key_in_url",))

    assert world.finding(RuleName.KEY_IN_URL).key_id == key


def test_the_audit_of_one_key_is_not_about_keys_that_nobody_looked_up(world: AuditWorld) -> None:
    world.call(None, MONDAY - DAY, outcome="key_in_url", status=401, flags=("key_in_url",))

    assert world.findings(RuleName.KEY_IN_URL, keys=(world.key(1),)) == []


def test_an_unknown_key_beside_one_in_the_url_is_not_found(world: AuditWorld) -> None:
    world.call(None, MONDAY - DAY, flags=("key_in_url",), **STRANGE)
    world.call(world.settled(1), SINCE - HOUR, flags=("key_in_url",))

    assert world.findings(RuleName.KEY_IN_URL) == []


def test_plain_http_with_a_key_of_ours_is_found(world: AuditWorld) -> None:
    world.call(world.key(1, "prod"), MONDAY - DAY, flags=("plain_http",), times=2)

    found = world.finding(RuleName.PLAIN_HTTP)

    assert (found.severity, found.count) == (Severity.HIGH, 2)
    assert found.remedy == "routic rotate prod --now"


def test_plain_http_without_a_key_of_ours_is_not_found(world: AuditWorld) -> None:
    world.settled(1)
    world.call(None, MONDAY - DAY, flags=("plain_http",), **STRANGE)
    world.call(None, MONDAY - DAY, flags=("plain_http",), outcome="missing", status=401)

    assert world.findings(RuleName.PLAIN_HTTP) == []


def test_an_origin_with_a_key_of_ours_is_a_frontend(world: AuditWorld) -> None:
    key = world.settled(1, "prod")
    world.call(key, MONDAY - DAY, origin="https://app.example", agent=FIREFOX, address="198.51.100.1")
    world.call(key, MONDAY - HOUR, origin="https://app.example", agent=NODE, address="198.51.100.2")

    found = world.finding(RuleName.BROWSER_ORIGIN)

    assert (found.severity, found.count) == (Severity.HIGH, 2)
    assert found.addresses == ("198.51.100.1", "198.51.100.2")
    assert "2 calls from 2 addresses with the origin https://app.example and browser: Firefox" in found.evidence
    assert found.remedy == "routic keys revoke prod --reason 'used in a browser'"


def test_a_browser_without_an_origin_is_a_frontend(world: AuditWorld) -> None:
    world.call(world.key(1), MONDAY - DAY, agent=FIREFOX)

    assert "browser: Firefox" in world.finding(RuleName.BROWSER_ORIGIN).evidence


def test_programs_and_browsers_without_a_key_of_ours_are_not_found(world: AuditWorld) -> None:
    world.settled(1)
    world.call(world.key(2), MONDAY - DAY, agent=CURL)
    world.call(world.key(3), MONDAY - DAY, agent=CRAWLER)
    world.call(world.key(4), MONDAY - DAY, agent="")
    world.call(None, MONDAY - DAY, agent=FIREFOX, origin="https://app.example", **STRANGE)
    world.call(None, MONDAY - DAY, agent=FIREFOX, outcome="missing", status=401)

    assert world.findings(RuleName.BROWSER_ORIGIN) == []


def test_a_dead_key_needs_no_command(world: AuditWorld) -> None:
    world.call(world.key(1), MONDAY - DAY, agent=FIREFOX, flags=("plain_http", "key_in_url"))
    world.revoke(1, at=MONDAY - HOUR)

    found = world.findings(RuleName.BROWSER_ORIGIN, RuleName.PLAIN_HTTP, RuleName.KEY_IN_URL)

    assert [each.remedy for each in found] == [None, None, None]
