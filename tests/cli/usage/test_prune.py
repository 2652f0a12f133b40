"""`routic usage prune`: it says what goes and what stays, asks, and forgets no more than that."""

from __future__ import annotations

import pytest

from tests.cli.usage.conftest import DAY, Logged
from tests.support.terminal import Terminal

THREE_DAYS = ("usage", "prune", "--older-than", "3d")


def statuses(logged: Logged) -> list[int]:
    return [line["status"] for line in logged.lines("--since", "30d")]


def test_it_forgets_what_is_older_and_the_last_use_stays(logged: Logged) -> None:
    used = logged.ok("keys", "show", "web", "--json").data["last_used_at"]
    done = logged.ok(*THREE_DAYS, "--yes")

    assert statuses(logged) in ([203, 204, 205], [204, 205])  # the third is within the hour that is cut
    assert "calls forgotten" in done.err
    assert done.out == ""
    logged.ok("usage", "prune", "--older-than", "0s", "--yes")
    assert logged.ok("keys", "show", "web", "--json").data["last_used_at"] == used


def test_before_it_forgets_it_says_how_many_calls_of_when_and_what_stays(logged: Logged) -> None:
    done = logged.run(*THREE_DAYS)
    assert done.code == 2
    assert "calls from 20" in done.err
    assert "When each key was used last, and what was spent, stay" in done.err
    assert "An audit compares with the 30 days before it" in done.err
    assert "routic usage prune --older-than 3d --yes" in done.err
    assert len(statuses(logged)) == 5


@pytest.mark.parametrize(("answer", "code", "left"), [("n\r", 130, 5), ("\r", 130, 5), ("y\r", 0, 2)])
def test_it_asks_the_person_at_the_terminal(logged: Logged, answer: str, code: int, left: int) -> None:
    with Terminal(logged.sandbox, "usage", "prune", "--older-than", "60h") as terminal:
        terminal.expect("Forget 3 calls for good?")
        terminal.type(answer)
        done = terminal.finish()
    assert (done.code, done.out, len(statuses(logged))) == (code, "", left)


def test_a_dry_run_counts_and_forgets_nothing(logged: Logged) -> None:
    done = logged.ok("usage", "prune", "--older-than", "60h", "--dry-run", "--json")
    assert (done.data["events"], done.data["dry_run"], done.err) == (3, True, "")
    assert done.data["before"] % 3600 == 0
    assert len(statuses(logged)) == 5
    assert "Dry run: nothing was forgotten" in logged.ok(*THREE_DAYS, "--dry-run").err


def test_json_says_what_was_forgotten_and_again_it_is_nothing(logged: Logged) -> None:
    arguments = ("usage", "prune", "--older-than", "60h", "--json", "--fields", "object,events,dry_run", "--yes")
    assert logged.ok(*arguments).data == {"object": "usage.pruned", "events": 3, "dry_run": False}
    assert logged.ok(*arguments).data == {"object": "usage.pruned", "events": 0, "dry_run": False}


def test_where_there_is_nothing_to_forget_nobody_is_asked(logged: Logged) -> None:
    done = logged.ok("usage", "prune", "--older-than", "60d")
    assert "has no calls from before" in done.err


@pytest.mark.parametrize("arguments", [(), ("--older-than", "soon"), ("--older-than", "3d", "--fields", "nosuch")])
def test_a_wrong_command_line_forgets_nothing(logged: Logged, arguments: tuple[str, ...]) -> None:
    assert logged.run("usage", "prune", *arguments, "--yes").code == 2
    assert len(statuses(logged)) == 5


def test_counts_and_events_are_forgotten_together(logged: Logged) -> None:
    logged.ok("usage", "prune", "--older-than", "60h", "--yes")
    [row] = logged.ok("usage", "show", "--since", "30d", "--json").data["data"]
    assert row["calls"] == 2
    assert logged.began - row["last_at"] == DAY
