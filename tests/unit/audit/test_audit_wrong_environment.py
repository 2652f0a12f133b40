"""wrong-environment: a tagged key from a place of the other environment; not from a place that both live in."""

from __future__ import annotations

from routic_cli.domain.audit.findings import RuleName, Severity
from tests.support.audit_world import DAY, MONDAY, AuditWorld

RULE = RuleName.WRONG_ENVIRONMENT
CLUSTER, OFFICE = "10.1.1.7", "192.168.1.7"
PROD, DEV = {"env": "prod"}, {"environment": "Staging"}


def test_a_key_of_development_from_the_cluster_is_found(world: AuditWorld) -> None:
    world.settled(1, "shop", tags=PROD)
    trial = world.settled(2, "trial", tags=DEV, address=OFFICE)
    world.call(trial, MONDAY - DAY, times=3, address="10.1.1.9")

    found = world.finding(RULE)

    assert (found.severity, found.key_name, found.count) == (Severity.MEDIUM, "trial", 3)
    assert found.addresses == ("10.1.1.9",)
    assert "3 calls from 10.1.1.0/24, where keys of production call" in found.evidence
    assert found.remedy == "routic keys create --name trial-production --tag env=production"


def test_a_key_of_production_from_the_office_is_found(world: AuditWorld) -> None:
    shop = world.settled(1, "shop", tags=PROD)
    world.settled(2, "trial", tags=DEV, address=OFFICE)
    world.call(shop, MONDAY - DAY, address=OFFICE)

    found = world.finding(RULE)

    assert (found.key_name, found.addresses) == ("shop", (OFFICE,))
    assert found.remedy == "routic rotate shop"


def test_the_audit_of_one_key_knows_whose_places_the_others_are_in(world: AuditWorld) -> None:
    shop = world.settled(1, "shop", tags=PROD)
    trial = world.settled(2, "trial", tags=DEV, address=OFFICE)
    world.call(trial, MONDAY - DAY, address=CLUSTER)

    assert world.finding(RULE, keys=(trial,)).key_name == "trial"
    assert world.findings(RULE, keys=(shop,)) == []


def test_a_place_that_both_live_in_is_not_found(world: AuditWorld) -> None:
    world.settled(1, tags=PROD, times=50)
    world.settled(2, tags=DEV)

    assert world.findings(RULE) == []


def test_a_place_where_others_of_its_own_call_too_is_not_found(world: AuditWorld) -> None:
    world.settled(1, tags=PROD)
    world.settled(2, tags=DEV, address=CLUSTER)
    trial = world.settled(3, tags=DEV, address=OFFICE)
    world.call(trial, MONDAY - DAY, address=CLUSTER)

    assert world.findings(RULE) == []


def test_a_key_without_a_tag_and_a_place_of_untagged_keys_are_not_found(world: AuditWorld) -> None:
    world.settled(1, tags=PROD)
    untagged = world.settled(2, address=OFFICE, tags={"env": "sandbox", "team": "dev"})
    trial = world.settled(3, tags=DEV, address="192.168.7.7")
    world.call(untagged, MONDAY - DAY, address=CLUSTER)
    world.call(trial, MONDAY - DAY, address=OFFICE)

    assert world.findings(RULE) == []


def test_a_place_with_too_few_calls_to_tell_is_not_found(world: AuditWorld) -> None:
    prod = world.settled(1, tags=PROD)
    world.call(prod, MONDAY - 20 * DAY, times=99, address="172.16.0.7")
    trial = world.settled(2, tags=DEV, address=OFFICE)
    world.call(trial, MONDAY - DAY, address="172.16.0.7")

    assert world.findings(RULE) == []
    assert world.findings(RULE, environment_calls=99) != []


def test_its_own_calls_do_not_make_a_place_its_own(world: AuditWorld) -> None:
    world.call(world.settled(1, tags=PROD, address="10.7.7.7"), MONDAY - 20 * DAY, times=200, address=CLUSTER)
    trial = world.settled(2, "trial", tags=DEV, address=OFFICE)
    world.call(trial, MONDAY - 19 * DAY, times=1000, address=CLUSTER)
    world.call(trial, MONDAY - DAY, address=CLUSTER)

    assert world.finding(RULE).key_name == "trial"
