"""What a finding proposes can be pasted: the command is there, and takes what it is given."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from routic_cli.domain.audit.findings import RuleName
from tests.support.audit_world import CURL, DAY, FIREFOX, HOUR, MONDAY, NODE, AuditWorld, audit_world
from tests.support.sandbox import Sandbox

EXPECTED = {
    "keys revoke",
    "keys update",
    "keys create",
    "rotate",
    "usage show",
    "doctor",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AuditWorld]:
    with audit_world(tmp_path / "store") as made:
        yield made


def proposed(world: AuditWorld) -> set[str]:
    """The commands of findings of each rule that has one, and of each way to end."""
    busy = world.settled(1, "prod", tags={"env": "prod"})
    trial = world.settled(2, "trial", tags={"env": "dev"}, address="192.168.1.5")
    world.call(busy, MONDAY - DAY, flags=("key_in_url", "plain_http"), agent=FIREFOX, address="203.0.113.9")
    world.call(busy, MONDAY - DAY, times=2000)
    world.call_hourly(busy, MONDAY - 2 * DAY, MONDAY, agent=NODE, address="10.9.9.9")
    world.call_hourly(busy, MONDAY - DAY, MONDAY, times=30, outcome="rate_limited", status=429)
    world.call(busy, MONDAY - DAY, address="192.168.1.6", agent=CURL)
    world.call(trial, MONDAY - DAY, address="10.1.1.9")
    world.key(3, "forgotten", at=MONDAY - 300 * DAY)
    world.call(world.key(4), MONDAY - 100 * DAY)
    for n, address, outcome in ((5, "10.1.1.7", "revoked"), (6, "203.0.113.9", "revoked"), (7, "10.1.1.7", "allowed")):
        gone = world.settled(n, until=MONDAY - DAY)
        world.revoke(n, at=MONDAY - DAY)
        world.call(gone, MONDAY - HOUR, address=address, outcome=outcome)
    world.settled(8, until=MONDAY)
    world.rotate(8, 2, at=MONDAY - 2 * DAY, grace=DAY)
    found = world.findings()
    assert {each.rule for each in found} == set(RuleName) - {RuleName.GUESSING}
    return {each.remedy for each in found if each.remedy is not None}


def test_each_proposed_command_is_one_with_the_options_it_is_given(world: AuditWorld, sandbox: Sandbox) -> None:
    @cache
    def help_of(command: str) -> str:
        return sandbox.ok(*command.split(), "--help").out

    seen = set()
    for remedy in proposed(world):
        program, *words = shlex.split(remedy)
        assert program == "routic"
        command = next((each for each in EXPECTED if words[: len(each.split())] == each.split()), None)
        assert command is not None, remedy
        seen.add(command)
        for word in words:
            assert not word.startswith("--") or f"{word} " in f"{help_of(command)} ".replace("\n", " "), remedy

    assert seen == EXPECTED
