"""`routic usage log`: single calls, the latest last."""

from __future__ import annotations

import pytest

from tests.cli.usage.conftest import DAY, Logged


def test_into_a_pipe_each_call_is_a_line_and_the_latest_the_last(logged: Logged) -> None:
    lines = [line.split("\t") for line in logged.ok("usage", "log").out.splitlines()]
    assert [line[3] for line in lines] == ["201", "202", "203", "204", "205"]
    assert lines[4][1:] == ["web", "allowed", "205", "192.0.2.5", "POST /v1/chat", "curl/8.5.0"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--limit", "2"], [204, 205]),
        (["--limit", "5"], [201, 202, 203, 204, 205]),
        (["--since", "60h"], [204, 205]),
        (["--since", "90h", "--until", "30h"], [203, 204]),
        (["--since", "90h", "--until", "30h", "--limit", "1"], [204]),
        (["web", "--limit", "1"], [205]),
        (["--key", "web", "--limit", "1"], [205]),
        (["ops"], []),
    ],
)
def test_the_latest_of_what_was_asked_for_are_shown(logged: Logged, arguments: list[str], expected: list[int]) -> None:
    assert [line["status"] for line in logged.lines(*arguments)] == expected


def test_what_the_limit_left_out_is_said(logged: Logged) -> None:
    assert "left out about 3" in logged.ok("usage", "log", "--limit", "2").err
    assert logged.ok("usage", "log", "--limit", "2", "--quiet").err == ""
    assert logged.ok("usage", "log").err == ""


def test_its_json_lines_are_events_that_import_knows_again(logged: Logged) -> None:
    text = logged.ok("usage", "log", "--json").out
    again = logged.ok("usage", "import", "-", "--json", stdin=text).data
    assert (again["new"], again["known"], again["bad"]) == (0, 5, 0)
    lines = logged.lines("--fields", "id,time,cost")
    assert all(set(line) == {"id", "time", "cost"} for line in lines)
    assert [line["cost"] for line in lines] == [0.0065] * 5
    assert lines[-1]["time"] == logged.began - DAY


def test_where_there_is_nothing_it_says_so(logged: Logged) -> None:
    done = logged.ok("usage", "log", "--since", "1h")
    assert done.out == ""
    assert "No calls" in done.err


@pytest.mark.parametrize(
    ("arguments", "code"), [(["nosuch"], 3), (["--fields", "nosuch"], 2), (["--limit", "0"], 2), (["--since", "x"], 2)]
)
def test_a_wrong_command_line_ends_with_its_code(logged: Logged, arguments: list[str], code: int) -> None:
    assert logged.run("usage", "log", *arguments).code == code
