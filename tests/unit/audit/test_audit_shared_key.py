"""shared-key: other programs in other networks in the same hours, for long; not one service in several places."""

from __future__ import annotations

from routic_cli.domain.audit import shared_key
from routic_cli.domain.audit.findings import AuditQuery, RuleName, Severity
from routic_cli.service.audit import StoreFacts
from tests.support.audit_world import CURL, DAY, HOUR, MONDAY, NODE, PYTHON, SINCE, AuditWorld

RULE = RuleName.SHARED_KEY


def test_a_second_service_beside_the_first_is_found(world: AuditWorld) -> None:
    key = world.settled(1, "prod")
    world.call_hourly(key, MONDAY - 2 * DAY, MONDAY, agent=NODE, address="10.9.9.7", times=2)

    found = world.finding(RULE)

    assert (found.severity, found.key_name) == (Severity.MEDIUM, "prod")
    assert "2 services called with it in the same hour, in 48 hours" in found.evidence
    assert "OpenAI/Python in 10.1.1.0/24, OpenAI/JS in 10.9.9.0/24" in found.evidence
    assert found.addresses == ("10.1.1.7", "10.9.9.7")
    assert found.remedy == "routic keys create --name prod-2"


def test_a_third_service_is_found_where_two_are_habit(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call_hourly(key, MONDAY - 40 * DAY, MONDAY, agent=NODE, address="10.9.9.7")
    assert world.findings(RULE) == []

    world.call_hourly(key, MONDAY - 2 * DAY, MONDAY, agent="Go-http-client/2.0", address="172.16.0.7")
    assert "3 services" in world.finding(RULE).evidence


def test_one_service_in_two_networks_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call_hourly(key, SINCE, MONDAY, address="10.2.2.7", agent=PYTHON)

    assert world.findings(RULE) == []


def test_one_service_with_two_programs_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call_hourly(key, SINCE, MONDAY, agent=NODE, address="10.1.1.9")
    world.call_hourly(key, SINCE, MONDAY, agent=NODE, address="10.2.2.7")

    assert world.findings(RULE) == []


def test_a_move_from_one_place_to_another_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1, until=MONDAY - 2 * DAY + 20 * HOUR)
    world.call_hourly(key, MONDAY - 2 * DAY, MONDAY, agent=NODE, address="10.9.9.7")

    assert world.findings(RULE) == []


def test_a_few_trials_by_hand_are_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    for day in range(7):
        world.call_hourly(key, SINCE + day * DAY, SINCE + day * DAY + 3 * HOUR, agent=CURL, address="192.168.1.5")

    assert world.findings(RULE) == []
    assert world.findings(RULE, shared_hours=21) != []


def test_a_key_without_a_history_is_not_found(world: AuditWorld) -> None:
    key = world.key(1)
    for agent, address in ((PYTHON, "10.1.1.7"), (NODE, "10.9.9.7")):
        world.call_hourly(key, SINCE - 6 * DAY, MONDAY, agent=agent, address=address)

    assert world.findings(RULE) == []


def test_a_meeting_of_a_few_hours_long_ago_is_no_habit(world: AuditWorld) -> None:
    key = world.settled(1)
    world.call_hourly(key, MONDAY - 20 * DAY, MONDAY - 20 * DAY + 3 * HOUR, agent=NODE, address="10.9.9.7")
    world.call_hourly(key, MONDAY - 2 * DAY, MONDAY, agent=NODE, address="10.9.9.7")

    assert world.findings(RULE) != []


def test_a_key_that_always_meets_new_networks_is_not_found(world: AuditWorld) -> None:
    key = world.settled(1)
    for day in range(1, 35, 2):
        world.call(key, MONDAY - day * DAY, agent=CURL, address=f"20.{day}.0.9")
    world.call_hourly(key, MONDAY - 2 * DAY, MONDAY, agent=NODE, address="10.9.9.7")

    assert world.findings(RULE) == []


class Counted(str):
    """A text that counts how often it is looked up."""

    __slots__ = ()
    times = 0

    def __hash__(self) -> int:
        Counted.times += 1
        return super().__hash__()


def test_a_caller_who_makes_up_programs_makes_the_audit_no_more_than_as_much_longer() -> None:
    programs = [Counted(f"r{n}") for n in range(2000)]

    services = shared_key._services([("10.1.1.0/24", program) for program in programs] + [("10.9.9.0/24", "other")])

    assert services.how_many == 2
    assert Counted.times < 20 * len(programs)


def test_a_dozen_shared_keys_are_looked_at_together(world: AuditWorld) -> None:
    for n in range(1, 13):
        key = world.settled(n, f"prod-{n}", times=1)
        world.call_hourly(key, MONDAY - 2 * DAY, MONDAY, agent=NODE, address=f"10.9.{n}.7", times=1)
    world.flush()
    facts = StoreFacts(world.store, AuditQuery(SINCE, MONDAY), MONDAY)

    found = list(shared_key.find(facts))

    assert {each.addresses for each in found} == {("10.1.1.7", f"10.9.{n}.7") for n in range(1, 13)}
    assert len(facts._asked) < 12  # not a question for each of them
