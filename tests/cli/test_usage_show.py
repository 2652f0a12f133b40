"""`routic usage show`: what was called how often, for a person, for a script, for a spreadsheet."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass

import pytest

from tests.cli.conftest import Stocked
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal
from tests.support.usage_log import call, write_log

HOUR = 3600
DAY = 24 * HOUR
DEFAULTS = ("KEY", "CALLS", "ERRORS")
AGENT = "=cmd|' /C calc'!A0 \x1b[31m"


@dataclass(frozen=True, slots=True)
class Logged:
    """A week and a half in which `prod` called each hour and `batch` once a day, and two strangers came by."""

    sandbox: Sandbox
    prod: str
    batch: str
    latest: int

    def ago(self, seconds: int) -> str:
        """A time so long before the middle of the latest hour, which lies in the past for all of a test."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.latest - seconds))


@pytest.fixture
def logged(stocked: Stocked) -> Logged:
    box = stocked.sandbox
    batch = box.ok("keys", "create", "--name", "batch", "--json").data["id"]
    now = int(time.time()) // HOUR * HOUR - HOUR // 2
    events = [
        call(now - hour * HOUR, key_id=stocked.key_id, version=1, address="10.0.0.2", tokens_in=100,
             tokens_out=10, cost=1_500_000_000, model="gpt-5-mini")
        for hour in range(10 * 24)
    ]  # fmt: skip
    events += [call(now - n * DAY - 120, key_id=batch, version=1, address="10.0.0.3", agent=AGENT) for n in range(10)]
    events += [
        call(now - 90, key_id=batch, version=1, outcome="rate_limited", status=429, address="10.0.0.3", agent=AGENT),
        call(now - 80, outcome="unknown", status=401, sha256="0" * 64, address="198.51.100.6", agent="curl/8.5.0"),
        call(now - 70, outcome="missing", status=401, address="198.51.100.7", agent="curl/8.5.0"),
    ]
    write_log(box, events)
    return Logged(box, stocked.key_id, batch, now)


def screen(sandbox: Sandbox, *arguments: str, columns: int = 80, **env: str) -> list[str]:
    with Terminal(sandbox, "usage", "show", *arguments, columns=columns, env={"NO_COLOR": "1", **env}) as terminal:
        done = terminal.finish()
        assert done.code == 0, done.err
        return terminal.screen()


def test_json_counts_by_key_in_the_fields_of_the_contract(logged: Logged) -> None:
    rows = logged.sandbox.ok("usage", "show", "--since", logged.ago(DAY), "--json").data["data"]
    fields = ("key_id", "key_name", "calls", "errors", "tokens_in", "tokens_out", "cost")
    assert [tuple(row[field] for field in fields) for row in rows[:1]] == [
        (logged.prod, "prod", 25, 0, 2500, 250, 37.5)
    ]  # an hour that is touched is counted whole
    assert {(row["key_name"], row["calls"], row["errors"]) for row in rows[1:]} >= {(None, 2, 2)}
    batch = next(row for row in rows if row["key_id"] == logged.batch)
    assert batch["errors"] == 1


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("address", {"10.0.0.2": 240, "10.0.0.3": 11, "198.51.100.6": 1, "198.51.100.7": 1}),
        ("agent", {"OpenAI/Python 2.8.1": 240, AGENT: 11, "curl/8.5.0": 2}),
        ("model", {"gpt-5-mini": 240, None: 13}),
    ],
)
def test_json_counts_by_what_is_asked_for(logged: Logged, by: str, expected: dict[str | None, int]) -> None:
    rows = logged.sandbox.ok("usage", "show", "--by", by, "--since", "30d", "--json").data["data"]
    assert {row[by]: row["calls"] for row in rows} == expected
    assert [row["calls"] for row in rows] == sorted(expected.values(), reverse=True)


def test_json_by_hour_has_hours_in_unix_seconds_as_they_went_by(logged: Logged) -> None:
    words = ("--by", "hour", "--since", logged.ago(3 * HOUR))
    hours = logged.sandbox.ok("usage", "show", *words, "prod", "--json").data["data"]
    last = logged.latest // HOUR * HOUR
    assert [row["hour"] for row in hours] == [last - n * HOUR for n in (3, 2, 1, 0)]
    assert {row["calls"] for row in hours} == {1}


def test_fields_select_and_an_unknown_one_lists_the_valid_ones(logged: Logged) -> None:
    data = logged.sandbox.ok("usage", "show", "--fields", "key_name,calls", "--since", "30d").data["data"]
    assert data[0] == {"key_name": "prod", "calls": 240}
    refused = logged.sandbox.run("usage", "show", "--by", "hour", "--fields", "key_name")
    assert refused.code == 2
    assert "hour, calls, errors" in refused.error["message"]


def test_one_key_by_name_id_or_option(logged: Logged) -> None:
    for words in (["prod"], [logged.prod], ["--key", "prod"], ["prod", "--key", logged.prod]):
        rows = logged.sandbox.ok("usage", "show", *words, "--json").data["data"]
        assert [row["key_name"] for row in rows] == ["prod"]
    assert logged.sandbox.run("usage", "show", "nosuch").code == 3


def test_a_pipe_gets_lines_of_eight_fields(logged: Logged) -> None:
    lines = logged.sandbox.ok("usage", "show", "--since", "30d").out.splitlines()
    assert [line.split("\t")[:7] for line in lines] == [
        [logged.prod, "prod", "240", "0", "24000", "2400", "360"],
        [logged.batch, "batch", "11", "1", "0", "0", "0"],
        ["", "", "2", "2", "0", "0", "0"],
    ]
    assert all(line.split("\t")[7].endswith("Z") for line in lines)


def test_csv_is_rfc_4180_and_no_cell_of_a_callers_is_a_formula(logged: Logged) -> None:
    out = logged.sandbox.ok("usage", "show", "--by", "agent", "--since", "30d", "--format", "csv").out
    assert out.count("\r\n") == out.count("\n") == 4
    records = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [record["agent"] for record in records] == [
        "OpenAI/Python 2.8.1",
        "'=cmd|' /C calc'!A0 \\x1b[31m",
        "curl/8.5.0",
    ]
    assert records[0]["cost"] == "360"


@pytest.mark.parametrize(
    ("sort", "first", "others"),
    [
        ("calls", "prod", 13),
        ("errors", None, 251),
        ("cost", "prod", 13),
        ("-calls", None, 251),
        ("name", None, 251),
        ("-name", "prod", 13),
    ],
)
def test_sorting_and_a_limit_that_says_what_it_left_out(
    logged: Logged, sort: str, first: str | None, others: int
) -> None:
    done = logged.sandbox.ok("usage", "show", "--since", "30d", "--sort", sort, "--limit", "1", "--json")
    assert [row["key_name"] for row in done.data["data"]] == [first]
    assert done.data["has_more"] is True
    assert f"{others} calls more: --limit 1 left them out" in done.err
    assert "253 calls, 3 errors" in done.err


@pytest.mark.parametrize("by", ["hour", "address", "agent", "model", "key"])
@pytest.mark.parametrize("sort", ["calls", "-calls", "errors", "-last_at", "name", "-name"])
def test_a_limit_leaves_the_first_of_the_same_order(logged: Logged, by: str, sort: str) -> None:
    words = ("usage", "show", "--by", by, f"--sort={sort}", "--json")
    numbers = (
        [row[sort.removeprefix("-")] for row in logged.sandbox.ok(*words).data["data"]] if "name" not in sort else None
    )
    everything = logged.sandbox.ok(*words).data["data"]
    some = logged.sandbox.ok(*words, "--limit", "2").data["data"]
    if numbers is None:
        assert some == everything[:2]
    else:  # of those alike in it any may be the first
        assert [row[sort.removeprefix("-")] for row in some] == numbers[:2]


def test_a_person_who_limits_the_rows_sees_the_same_charts(logged: Logged) -> None:
    whole = screen(logged.sandbox, columns=120)
    limited = screen(logged.sandbox, "--limit", "3", columns=120)
    assert [line.split()[0] for line in limited] == [line.split()[0] for line in whole[:4]]
    assert [line.split()[-1] for line in limited] == [line.split()[-1] for line in whole[:4]]


def test_a_limit_keeps_the_latest_hours(logged: Logged) -> None:
    everything = logged.sandbox.ok("usage", "show", "--by", "hour", "--json").data["data"]
    assert logged.sandbox.ok("usage", "show", "--by", "hour", "--limit", "3", "--json").data["data"] == everything[-3:]


def test_a_person_sees_names_shares_charts_and_who_had_no_key(logged: Logged) -> None:
    lines = screen(logged.sandbox, columns=120)
    assert lines[0].split()[:3] == list(DEFAULTS)
    assert lines[0].endswith("7 DAYS")
    rows = {line.split("  ")[0]: line for line in lines[1:]}
    assert list(rows) == ["prod", "batch", "no key", "unknown keys"]
    assert "━" in rows["prod"]
    assert " 100%" in rows["no key"]
    assert "·" in rows["batch"]


@pytest.mark.parametrize(
    ("by", "columns"),
    [
        *(("key", columns) for columns in (120, 80, 60, 40, 30)),
        *((by, 80) for by in ("hour", "address", "model")),
        ("agent", 80),
        ("agent", 30),
        ("hour", 40),
    ],
)
def test_every_table_fits_its_terminal(logged: Logged, by: str, columns: int) -> None:
    with Terminal(
        logged.sandbox, "usage", "show", "--by", by, columns=columns, env={"NO_COLOR": "1", "COLUMNS": str(columns)}
    ) as terminal:
        out = terminal.finish().out
    assert max(map(len, out.splitlines())) <= columns
    assert "\x1b" not in out
    if by == "key":
        assert {"prod", "batch", "no key", "unknown keys"} <= {line.split("  ")[0] for line in out.splitlines()}


def test_a_dumb_terminal_gets_its_charts_in_ascii(logged: Logged) -> None:
    lines = screen(logged.sandbox, TERM="dumb")
    assert "".join(lines).isascii()
    assert any("####" in line for line in lines)


def test_an_ascii_locale_gets_its_charts_in_ascii(logged: Logged) -> None:
    lines = screen(logged.sandbox, LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert "".join(lines).isascii()
    assert any("####" in line for line in lines)


def test_a_day_is_shown_by_its_hours_and_a_week_by_its_days(logged: Logged) -> None:
    until = ("--until", logged.ago(-HOUR // 2))
    day = screen(logged.sandbox, "--by", "hour", "--since", logged.ago(23 * HOUR), *until)
    assert day[0].startswith("HOUR (UTC)")
    assert len(day) == 1 + 24
    week = screen(logged.sandbox, "--by", "hour", "--since", logged.ago(6 * DAY), *until)
    assert week[0].startswith("DAY (UTC)")
    assert len(week) == 1 + 7


def test_charts_begin_with_the_first_call_and_not_decades_before(logged: Logged) -> None:
    until = ("--until", logged.ago(-HOUR // 2))
    assert screen(logged.sandbox, "--since", "1970-01-01", columns=120)[0].endswith("  10 DAYS")
    assert len(screen(logged.sandbox, "--by", "hour", "--since", "1970-01-01", *until)) in {1 + 10, 1 + 11}


def test_two_keys_that_had_one_name_are_told_apart(logged: Logged) -> None:
    logged.sandbox.ok("keys", "revoke", "batch", "--yes")
    again = logged.sandbox.ok("keys", "create", "--name", "batch", "--json").data["id"]
    write_log(logged.sandbox, [call(logged.latest, key_id=again, version=1)])
    text = "\n".join(screen(logged.sandbox))
    assert logged.batch in text
    assert again in text


def test_a_table_speaks_to_no_terminal(logged: Logged) -> None:
    with Terminal(logged.sandbox, "usage", "show", "--by", "agent", env={"NO_COLOR": "1"}) as terminal:
        done = terminal.finish()
    assert "\x1b" not in done.out
    assert "\\x1b[31m" in done.out


def test_an_empty_log_says_so_and_how_to_fill_it(stocked: Stocked) -> None:
    done = stocked.sandbox.ok("usage", "show")
    assert done.out == ""
    assert "The usage log has no calls" in done.err
    assert "routic usage import" in done.err
    assert "routic serve" in done.err
    assert stocked.sandbox.ok("usage", "show", "--json").data["data"] == []
    assert stocked.sandbox.ok("usage", "show", "--quiet").err == ""


def test_a_time_without_calls_says_when_there_were_some(logged: Logged) -> None:
    done = logged.sandbox.ok("usage", "show", "--since", "2y", "--until", "1y")
    assert done.out == ""
    assert "The log has 253 calls" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "blue"], "--since cannot be 'blue'"),
        (["--since", "2026-02-30"], "--since cannot be"),
        (["--since", "1d", "--until", "2d"], "no time between --since and --until"),
        (["--by", "blue"], "'key', 'hour', 'address', 'agent', 'model'"),
        (["--sort", "blue"], "calls, errors, tokens_in"),
        (["--limit", "0"], "--limit"),
        (["--format", "xml"], "'table', 'json', 'csv'"),
        (["--format", "csv", "--json"], "contradict each other"),
        (["--format", "table", "--fields", "calls"], "contradict each other"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_ends_with_2_and_says_what_can(logged: Logged, words: list[str], said: str) -> None:
    done = logged.sandbox.run("usage", "show", *words)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


def test_format_json_makes_errors_json_too(logged: Logged) -> None:
    done = logged.sandbox.run("usage", "show", "nosuch", "--format", "json")
    assert done.code == 3
    assert done.error["code"] == "key_not_found"
