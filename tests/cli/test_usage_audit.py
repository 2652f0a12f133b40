"""`routic usage audit`: what was found, what was looked at, and how the command ends."""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import dataclass

import pytest

from tests.cli.conftest import Stocked
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal
from tests.support.usage_log import call, write_log

HOUR = 3600
FIELDS = [
    "rule",
    "severity",
    "key_id",
    "key_name",
    "count",
    "first_at",
    "last_at",
    "addresses",
    "evidence",
    "remedy",
]
AGENT = '=HYPERLINK("http://evil") \x1b[31m|`<script>'


@dataclass(frozen=True, slots=True)
class Watched:
    """A log in which `prod`'s key came in a URL once, and somebody guessed keys."""

    sandbox: Sandbox
    key_id: str


@pytest.fixture
def watched(stocked: Stocked) -> Watched:
    now = int(time.time())
    events = [call(now - hour * HOUR - 60, key_id=stocked.key_id, version=1) for hour in range(48)]
    events.append(
        call(now - 90, key_id=stocked.key_id, version=1, outcome="key_in_url", status=401, flags=("key_in_url",),
             address="=198.51.100.5", agent=AGENT)
    )  # fmt: skip
    events += [
        call(now - 300 + n, outcome="unknown", status=401, sha256=f"{n:064x}", address="198.51.100.6", agent=AGENT)
        for n in range(40)
    ]
    write_log(stocked.sandbox, events)
    return Watched(stocked.sandbox, stocked.key_id)


def test_json_has_the_fields_of_the_contract_the_most_severe_first(watched: Watched) -> None:
    found = watched.sandbox.ok("usage", "audit", "--json").data["data"]
    assert [list(each) for each in found] == [FIELDS] * len(found)
    assert {"key-in-url", "guessing", "no-expiry"} <= {each["rule"] for each in found}
    ranks = [["high", "medium", "low"].index(each["severity"]) for each in found]
    assert ranks == sorted(ranks)
    in_url = next(each for each in found if each["rule"] == "key-in-url")
    assert (in_url["key_id"], in_url["key_name"], in_url["count"]) == (watched.key_id, "prod", 1)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["--fail-on", "high"], 9),
        (["--fail-on", "low"], 9),
        (["--fail-on", "high", "--format", "csv"], 9),
        (["--fail-on", "high", "--format", "sarif"], 9),
        (["--fail-on", "high", "--json"], 9),
        (["--rule", "no-expiry", "--fail-on", "low"], 9),
        (["--rule", "no-expiry", "--fail-on", "medium"], 0),
        (["--rule", "plain-http", "--fail-on", "low"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_ends_with_9_for_a_finding_of_that_severity_or_above(watched: Watched, words: list[str], code: int) -> None:
    assert watched.sandbox.run("usage", "audit", *words).code == code


def test_a_threshold_of_the_configuration_is_kept_to(watched: Watched) -> None:
    words = ("usage", "audit", "--rule", "guessing", "--fail-on", "high")
    assert watched.sandbox.run(*words).code == 9
    watched.sandbox.ok("config", "set", "audit.guessing_keys", "41")
    assert watched.sandbox.run(*words).code == 0


def test_one_rule_and_one_key(watched: Watched) -> None:
    other = watched.sandbox.ok("keys", "create", "--name", "other", "--json").data["id"]
    rules = ("--rule", "no-expiry", "--rule", "guessing")
    found = watched.sandbox.ok("usage", "audit", *rules, "--json").data["data"]
    assert [each["rule"] for each in found] == ["guessing", "no-expiry", "no-expiry"]
    found = watched.sandbox.ok("usage", "audit", *rules, "--key", "other", "--json").data["data"]
    assert [(each["rule"], each["key_id"]) for each in found] == [("no-expiry", other)]


def test_the_last_line_says_what_was_found_and_what_was_looked_at(watched: Watched) -> None:
    err = watched.sandbox.ok("usage", "audit", "--rule", "key-in-url", "--rule", "guessing").err
    assert "2 findings: 2 high. Looked at 89 calls with 1 key, from " in err
    assert "by 2 rules" in err
    assert "No findings. Looked at 89 calls" in watched.sandbox.ok("usage", "audit", "--rule", "plain-http").err
    assert "No findings. Looked at 89 calls" in watched.sandbox.ok("usage", "audit", "--rule", "old", "--json").err
    assert watched.sandbox.ok("usage", "audit", "--quiet").err == ""


@pytest.mark.parametrize("words", [[], ["--quiet"], ["--json"], ["--format", "sarif"]], ids=" ".join)
def test_an_empty_log_is_never_taken_for_a_clean_one(stocked: Stocked, words: list[str]) -> None:
    done = stocked.sandbox.ok("usage", "audit", "--rule", "guessing", *words)
    assert "No calls were looked at" in done.err
    assert "No findings" not in done.err


def test_an_empty_log_says_how_to_fill_it(stocked: Stocked) -> None:
    assert "routic usage import" in stocked.sandbox.ok("usage", "audit").err


def test_a_pipe_gets_a_line_of_ten_fields_for_each_finding(watched: Watched) -> None:
    lines = watched.sandbox.ok("usage", "audit", "--rule", "key-in-url").out.splitlines()
    assert [line.split("\t")[:5] for line in lines] == [["high", "key-in-url", watched.key_id, "prod", "1"]]
    assert [len(line.split("\t")) for line in lines] == [10]


def test_csv_has_the_same_fields_and_no_formula(watched: Watched) -> None:
    out = watched.sandbox.ok("usage", "audit", "--format", "csv", "--rule", "key-in-url").out
    records = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [list(record) for record in records] == [FIELDS]
    assert records[0]["addresses"] == "'=198.51.100.5"
    assert records[0]["first_at"].endswith("Z")
    assert out.endswith("\r\n")


def test_markdown_and_sarif_hold_every_finding(watched: Watched) -> None:
    found = watched.sandbox.ok("usage", "audit", "--json").data["data"]
    markdown = watched.sandbox.ok("usage", "audit", "--format", "markdown").out
    assert markdown.count("\n## ") == len(found)
    log = json.loads(watched.sandbox.ok("usage", "audit", "--format", "sarif").out)
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == [each["rule"] for each in found]


@pytest.mark.parametrize("form", ["table", "json", "csv", "markdown", "sarif"])
def test_no_form_lets_a_caller_speak_to_the_terminal(watched: Watched, form: str) -> None:
    with Terminal(watched.sandbox, "usage", "audit", "--format", form, env={"NO_COLOR": "1"}) as terminal:
        done = terminal.finish()
    assert done.code == 0
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize("columns", [100, 80, 60, 40])
def test_a_person_sees_severity_rule_key_evidence_and_the_next_command(watched: Watched, columns: int) -> None:
    with Terminal(watched.sandbox, "usage", "audit", columns=columns, env={"NO_COLOR": "1"}) as terminal:
        out = terminal.finish().out
    folded = [line for line in out.splitlines() if "Try: " not in line]
    assert max(map(len, folded)) <= columns
    heads = [line for line in out.splitlines() if line.startswith("high")]
    assert any("key-in-url" in line and "prod" in line for line in heads)
    commands = [line.split("Try: ")[1] for line in out.splitlines() if "Try: " in line]
    assert all(command.startswith("routic ") for command in commands)
    assert commands


def test_severity_has_a_colour_and_its_word(watched: Watched) -> None:
    with Terminal(watched.sandbox, "usage", "audit", "--rule", "guessing") as terminal:
        out = terminal.finish().out
    assert "\x1b[31mhigh\x1b[0m" in out


def test_a_dumb_terminal_gets_ascii(watched: Watched) -> None:
    with Terminal(watched.sandbox, "usage", "audit", env={"TERM": "dumb"}) as terminal:
        done = terminal.finish()
    assert (done.out + done.err).isascii()


def test_a_remedy_names_the_store_that_the_command_was_given(watched: Watched) -> None:
    store = str(watched.sandbox.key_store)
    words = ("--store", store, "usage", "audit", "--rule", "no-expiry", "--json")
    assert f"routic --store {store} " in watched.sandbox.ok(*words).data["data"][0]["remedy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rule", "blue"], "'use-after-revoke', 'key-in-url'"),
        (["--fail-on", "blue"], "'low', 'medium', 'high'"),
        (["--format", "blue"], "'table', 'json', 'csv', 'markdown', 'sarif'"),
        (["--since", "blue"], "--since cannot be 'blue'"),
        (["--since", "3000-01-01"], "no time between"),
        (["--until", "8d"], "no time between --since and --until"),
        (["--format", "sarif", "--json"], "contradict each other"),
        (["--format", "csv", "--fields", "rule"], "contradict each other"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_ends_with_2_and_says_what_can(watched: Watched, words: list[str], said: str) -> None:
    done = watched.sandbox.run("usage", "audit", *words)
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert done.out == ""


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("routic usage audit --rule new-", ["new-network", "new-client"]),
        ("routic usage audit --fail-on h", ["high"]),
        ("routic usage audit --format sa", ["sarif"]),
        ("routic usage audit --key pr", ["prod"]),
        ("routic usage show --by a", ["address", "agent"]),
        ("routic usage show pr", ["prod"]),
    ],
)
def test_the_shell_completes_rules_severities_forms_and_keys(stocked: Stocked, line: str, offered: list[str]) -> None:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_ROUTIC_COMPLETE": "complete_bash"}
    assert stocked.sandbox.run(env=words).out.split() == offered


def test_an_unknown_key_ends_with_3(watched: Watched) -> None:
    assert watched.sandbox.run("usage", "audit", "--key", "nosuch").code == 3


def test_fields_select_and_an_unknown_one_lists_the_valid_ones(watched: Watched) -> None:
    done = watched.sandbox.ok("usage", "audit", "--rule", "key-in-url", "--fields", "rule,count")
    assert done.data["data"] == [{"rule": "key-in-url", "count": 1}]
    refused = watched.sandbox.run("usage", "audit", "--fields", "blue")
    assert refused.code == 2
    assert ", ".join(FIELDS) in refused.error["message"]
