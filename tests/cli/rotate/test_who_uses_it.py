"""Who still uses the old version: `rotate --status` tells, and `--finish` waits until nobody does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from routic_cli.paths import usage_log_beside
from tests.support.gateways import routic_serve
from tests.support.placed import MORNING, Placed
from tests.support.sandbox import SECRET, Sandbox
from tests.support.usage_events import call_of, record

ROTATED = 1_800_000_000  # MORNING
HALF_PAST_NINE = "2027-01-15 09:30:00"
NINE_THIRTY = ROTATED + 5400


@pytest.fixture
def rotated(placed: Placed) -> Placed:
    """Rotated in the morning, in every place here."""
    placed.rotated(at=MORNING)
    return placed


def log(placed: Placed, at: int, version: int, address: str = "192.0.2.7", agent: str = "worker/1") -> None:
    event = call_of(placed.key["id"], at, version=version, address=address, agent=agent)
    record(placed.sandbox.key_store, event)


def test_status_tells_who_uses_which_version_since_the_rotation(rotated: Placed) -> None:
    log(rotated, ROTATED - 7200, 1, "192.0.2.1", "gone-before/1")
    log(rotated, ROTATED + 10, 1)
    log(rotated, ROTATED + 20, 1)
    log(rotated, ROTATED + 4020, 1, "192.0.2.8", "cron/2")
    log(rotated, ROTATED + 5000, 2, "192.0.2.9", "api/3")
    status = rotated.rotate("--status", "--json", at=HALF_PAST_NINE).data
    assert status["used_by"] == [
        {"version": 2, "address": "192.0.2.9", "agent": "api/3", "calls": 1, "last_used_at": ROTATED + 5000},
        {"version": 1, "address": "192.0.2.8", "agent": "cron/2", "calls": 1, "last_used_at": ROTATED + 4020},
        {"version": 1, "address": "192.0.2.7", "agent": "worker/1", "calls": 2, "last_used_at": ROTATED + 20},
    ]
    assert status["retiring"]["last_used_at"] == ROTATED + 4020
    assert status["current"]["last_used_at"] == status["last_used_at"] == ROTATED + 5000

    lines = rotated.rotate("--status", at=HALF_PAST_NINE).out.splitlines()
    assert "last_used:\t23 minutes ago, 3 calls since the rotation" in lines
    assert "still_used_by:\t192.0.2.8  cron/2  1 call, the last 23 minutes ago" in lines
    assert "still_used_by:\t192.0.2.7  worker/1  2 calls, the last 1 hour ago" in lines
    assert "new_one_used:\t7 minutes ago, 1 call since the rotation" in lines
    assert not any("gone-before" in line or "api/3" in line for line in lines)


def test_of_very_many_callers_the_busiest_are_told_and_the_others_summed(rotated: Placed) -> None:
    calls = [
        call_of(rotated.key["id"], ROTATED + n, version=1, address=f"192.0.2.{n}", agent="w/1")
        for n in range(30)
        for _ in range(2 if n < 20 else 1)
    ]
    calls += [call_of(rotated.key["id"], ROTATED + 5000, version=2, address="192.0.2.99", agent="api/3")] * 3
    record(rotated.sandbox.key_store, *calls)
    used_by = rotated.rotate("--status", "--json", at=HALF_PAST_NINE).data["used_by"]
    assert {use["address"] for use in used_by[1:-1]} == {f"192.0.2.{n}" for n in range(20)}
    assert used_by[-1] == {"version": 1, "address": None, "agent": None, "calls": 10, "last_used_at": ROTATED + 29}
    lines = rotated.rotate("--status", at=HALF_PAST_NINE).out.splitlines()
    assert "still_used_by:\tall others  10 calls, the last 1 hour ago" in lines
    assert "last_used:\t1 hour ago, 50 calls since the rotation" in lines

    refused = rotated.rotate("--finish", "--yes", at="2027-01-15 08:30:00")
    assert refused.code == 5
    assert "192.0.2.29 (w/1), 192.0.2.28 (w/1), " in refused.err
    assert "192.0.2.25 (w/1) and others" in refused.err


def test_status_says_that_the_old_version_was_not_used_again(rotated: Placed) -> None:
    log(rotated, ROTATED - 7200, 1)
    lines = rotated.rotate("--status", at=HALF_PAST_NINE).out.splitlines()
    assert "last_used:\t4 hours ago, 0 calls since the rotation" in lines


def test_finish_is_refused_while_the_old_version_was_used_within_the_hour_and_says_by_whom(rotated: Placed) -> None:
    log(rotated, NINE_THIRTY - 3600, 1)
    done = rotated.rotate("--finish", "--yes", at=HALF_PAST_NINE)
    assert done.code == 5
    assert "192.0.2.7 (worker/1)" in done.err
    assert "It was not ended" in done.err
    assert rotated.verify(rotated.secret, at=HALF_PAST_NINE) == 0
    assert rotated.rotate("--finish", "--dry-run", at=HALF_PAST_NINE).code == 5

    assert rotated.rotate("--finish", "--yes", "--force", at=HALF_PAST_NINE).code == 0
    assert rotated.verify(rotated.secret, at=HALF_PAST_NINE) == 9


@pytest.mark.parametrize(
    ("at", "version"),
    [
        pytest.param(NINE_THIRTY - 3601, 1, id="an hour of silence"),
        pytest.param(NINE_THIRTY - 1, 2, id="the new version's use"),
    ],
)
def test_finish_ends_what_nobody_used_for_an_hour(rotated: Placed, at: int, version: int) -> None:
    log(rotated, at, version)
    assert rotated.rotate("--finish", "--yes", at=HALF_PAST_NINE).code == 0


def test_a_use_before_the_rotation_says_nothing_of_who_was_not_updated(rotated: Placed) -> None:
    log(rotated, ROTATED - 1, 1)
    assert rotated.rotate("--finish", "--yes", at=MORNING).code == 0


def test_a_refused_call_with_the_old_version_is_no_use(rotated: Placed) -> None:
    event = call_of(rotated.key["id"], NINE_THIRTY - 5)._replace(outcome="expired", status=401)
    record(rotated.sandbox.key_store, event)
    assert rotated.rotate("--finish", "--yes", at=HALF_PAST_NINE).code == 0


def test_finish_ends_nothing_on_the_word_of_a_log_that_cannot_be_read(rotated: Placed) -> None:
    log(rotated, NINE_THIRTY - 5, 1)
    path = usage_log_beside(rotated.sandbox.key_store)
    path.write_bytes(path.read_bytes()[:5000])
    done = rotated.rotate("--finish", "--yes", at=HALF_PAST_NINE)
    assert (done.code, rotated.verify(rotated.secret, at=HALF_PAST_NINE)) == (10, 0)
    status = rotated.rotate("--status", at=HALF_PAST_NINE)
    assert status.code == 0
    assert "Last uses are not known" in status.err
    assert "last_used:\tunknown" in status.out
    assert rotated.rotate("--finish", "--yes", "--force", at=HALF_PAST_NINE).code == 0
    assert not SECRET.search(status.out + status.err + done.err)


def test_a_credential_that_may_not_read_usage_is_refused_all_the_same_without_names(
    printed: tuple[Sandbox, str], tmp_path: Path
) -> None:
    server, old = printed
    token = server.ok("keys", "create", "--name", "ci", "--scope", "api", "--scope", "keys:write").secret
    prod = server.ok("rotate", "prod", "--json").data
    record(server.key_store, call_of(prod["id"], int(time.time()) + 1, agent="worker/1"))
    client = Sandbox(tmp_path / "client")
    with routic_serve(server) as serving:
        client.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        refused = client.run("rotate", "prod", "--finish", "--yes")
        status = client.ok("rotate", "prod", "--status")
        forced = client.run("rotate", "prod", "--finish", "--yes", "--force")
    assert refused.code == 5
    assert "It was let in within the last hour" in refused.err
    assert "worker" not in refused.err + status.out
    assert "Who uses the key is not known" in status.err
    assert "last_used:\tjust now" in status.out or "last_used:\tin " in status.out
    assert (forced.code, server.run("keys", "verify", stdin=old).code) == (0, 9)
