"""`rotate`: until when the old secret is let in: `--grace`, `--now`, and the proof of `--wait`."""

from __future__ import annotations

import pytest

from tests.support.placed import A_DAY_LATER, A_SECOND_SHORT_OF_A_DAY_LATER, MORNING, Placed
from tests.support.terminal import Terminal

# Grace.


def test_grace_lets_the_old_secret_in_until_its_last_second_and_refuses_it_as_expired_from_then_on(
    placed: Placed,
) -> None:
    new = placed.rotated("--grace", "24h", at=MORNING)
    assert placed.verify(placed.secret, at=A_SECOND_SHORT_OF_A_DAY_LATER) == 0
    done = placed.sandbox.run("keys", "verify", "--json", stdin=placed.secret, env={"FAKETIME": A_DAY_LATER})
    assert (done.code, done.data["status"]) == (9, "expired")
    assert placed.verify(new, at=A_DAY_LATER) == 0


def test_the_grace_is_a_day_unless_another_is_named(placed: Placed) -> None:
    placed.rotated(at=MORNING)
    first = placed.show()["versions"][0]
    assert first["expires_at"] - placed.key["created_at"] == 86_400
    placed.rotated("--grace", "90s", at=MORNING)
    second = placed.show()["versions"][1]
    assert second["expires_at"] - placed.key["created_at"] == 90


@pytest.mark.parametrize("grace", ["8000y", "1x", "", "-1h", "24"])
def test_a_grace_that_cannot_be_is_refused_before_anything_happens(placed: Placed, grace: str) -> None:
    before = placed.sandbox.snapshot()
    done = placed.rotate(f"--grace={grace}")
    assert done.code == 2
    assert placed.sandbox.snapshot() == before


def test_a_rotation_of_a_rotation_says_that_it_ends_the_oldest_before_it_does(placed: Placed) -> None:
    placed.rotated()
    with Terminal(placed.sandbox, "rotate", "prod", "--now", columns=200) as terminal:
        terminal.expect("[y/N]")
        assert "Version 1 of prod is still let in; this rotation ends it at once" in terminal.err
        assert placed.verify(placed.secret) == 0
        terminal.type("y\r")
        assert terminal.finish().code == 0
    assert placed.verify(placed.secret) == 9


def test_a_rotation_of_a_rotation_refuses_no_secret_in_any_file(placed: Placed) -> None:
    second = placed.rotated()
    third = placed.rotated()
    assert [placed.verify(secret) for secret in (placed.secret, second, third)] == [9, 0, 0]
    assert placed.held() == [third] * 3


# --now


def test_now_asks_on_a_terminal_and_takes_enter_for_no(placed: Placed) -> None:
    before = placed.contents()
    with Terminal(placed.sandbox, "rotate", "prod", "--now", columns=200) as terminal:
        terminal.expect("[y/N]")
        assert "Last used: unknown." in terminal.err
        terminal.type("\r")
        done = terminal.finish()
    assert (done.code, done.out) == (130, "")
    assert (placed.contents(), placed.show()["version"]) == (before, 1)


def test_now_in_a_pipe_needs_yes(placed: Placed) -> None:
    before = placed.sandbox.snapshot()
    done = placed.rotate("--now")
    assert (done.code, done.out) == (2, "")
    assert "routic rotate prod --now --yes" in done.err
    assert placed.sandbox.snapshot() == before


def test_now_with_yes_refuses_the_old_secret_at_once(placed: Placed) -> None:
    new = placed.rotated("--now", "--yes")
    assert [placed.verify(secret) for secret in (placed.secret, new)] == [9, 0]


def test_a_grace_of_nothing_is_now(placed: Placed) -> None:
    assert placed.rotate("--grace", "0s").code == 2
    placed.rotated("--grace", "0s", "--yes")
    assert placed.verify(placed.secret) == 9


# --wait


@pytest.mark.parametrize("flags", [[], ["--now", "--yes"]], ids=["grace", "now"])
def test_wait_ends_when_the_store_itself_says_so(placed: Placed, flags: list[str]) -> None:
    done = placed.rotate("--wait", "5s", *flags)
    assert done.code == 0
    assert "The store was asked" in done.err


def test_wait_of_a_revocation_ends_when_the_store_refuses_the_key(placed: Placed) -> None:
    done = placed.sandbox.ok("keys", "revoke", "prod", "--yes", "--wait", "5s")
    assert "The store was asked" in done.err
    assert placed.verify(placed.secret) == 9


@pytest.mark.parametrize("command", [["rotate", "prod"], ["keys", "revoke", "prod", "--yes"]])
def test_a_wait_that_cannot_be_is_refused_before_anything_happens(placed: Placed, command: list[str]) -> None:
    before = placed.sandbox.snapshot()
    assert placed.sandbox.run(*command, "--wait", "soon").code == 2
    assert placed.sandbox.snapshot() == before
