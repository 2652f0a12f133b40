"""The thresholds of the audit are settings of the configuration file: shown, set, unset, and refused when wrong."""

from __future__ import annotations

import tomllib  # noqa: TID253  # reads what was written
from dataclasses import fields
from pathlib import Path

import pytest

from routic_cli.config import Flags, load_config
from routic_cli.domain.audit.policy import Policy
from tests.support.sandbox import Sandbox

DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"


def file_of(sandbox: Sandbox) -> Path:
    return Path(sandbox.ok("config", "path").out.rstrip("\n"))


def written(sandbox: Sandbox, text: str) -> Sandbox:
    file_of(sandbox).parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    file_of(sandbox).write_text(text)
    file_of(sandbox).chmod(0o600)
    return sandbox


def test_every_threshold_is_listed_with_its_default(sandbox: Sandbox) -> None:
    lines = sandbox.ok("config", "list").out.splitlines()

    for each in fields(Policy):
        assert f"audit.{each.name}\t{each.default}\tdefault" in lines


def test_what_is_set_is_kept_beside_what_was_written_by_hand(sandbox: Sandbox) -> None:
    written(sandbox, "# ours\nprofile = 'work'\n[profiles.work]  # a comment\nstore = '/srv/work.db'\n")

    done = sandbox.ok("config", "set", "audit.stale_days", "060")

    assert f"audit.stale_days is 60 in {file_of(sandbox)}" in done.err
    text = file_of(sandbox).read_text()
    assert "# ours" in text
    assert "# a comment" in text
    assert tomllib.loads(text)["audit"] == {"stale_days": 60}
    assert sandbox.ok("config", "get", "audit.stale_days").out == "60\n"
    assert f"audit.stale_days\t60\t{file_of(sandbox)}" in sandbox.ok("config", "list").out.splitlines()


def test_the_policy_of_a_run_is_that_of_the_file_in_every_profile(sandbox: Sandbox) -> None:
    sandbox.ok("config", "set", "audit.old_days", "30")
    sandbox.ok("--profile", "work", "config", "set", "audit.guessing_keys", "7")

    assert "profiles" not in tomllib.loads(file_of(sandbox).read_text())
    assert load_config(Flags(), sandbox.environ).policy == Policy(old_days=30, guessing_keys=7)


def test_unset_brings_the_default_back(sandbox: Sandbox) -> None:
    assert sandbox.ok("config", "unset", "audit.old_days", "--json").data["changed"] is False
    sandbox.ok("config", "set", "audit.old_days", "30")
    assert sandbox.ok("config", "unset", "audit.old_days", "--json").data["changed"] is True
    assert sandbox.ok("config", "get", "audit.old_days").out == "180\n"


@pytest.mark.parametrize("value", ["0", "1000001", "-1", "ninety", "9.5", "٣", "9" * 5000, "true"])
def test_a_value_that_is_no_threshold_is_refused_and_changes_nothing(sandbox: Sandbox, value: str) -> None:
    done = sandbox.run("config", "set", "audit.stale_days", "--", value)

    assert (done.code, file_of(sandbox).exists()) == (2, False)
    assert "whole number from 1 to 1,000,000" in done.err


@pytest.mark.parametrize("action", [["set", "audit.stale", "9"], ["unset", "audit.stale"]])
def test_a_name_that_is_no_threshold_is_refused_with_those_there_are(sandbox: Sandbox, action: list[str]) -> None:
    done = sandbox.run("config", *action)

    assert done.code == 2
    assert "baseline_days, baseline_least_days" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[audit]\nstale_dais = 9\n", "stale_days"),
        ("[audit]\nstale_days = '9'\n", "whole number"),
        ("[audit]\nstale_days = true\n", "whole number"),
        ("[audit]\nstale_days = 0\n", "whole number"),
        ("audit = 9\n", "must be a table"),
    ],
)
def test_a_file_with_a_wrong_threshold_is_refused_by_every_command(sandbox: Sandbox, text: str, said: str) -> None:
    written(sandbox, text)

    for command in (["keys", "list"], ["config", "list"]):
        done = sandbox.run(*command)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
        assert str(file_of(sandbox)) in done.err


def test_a_wrong_threshold_can_be_mended_by_the_command(sandbox: Sandbox) -> None:
    written(sandbox, "[audit]\nstale_days = 0\n")

    sandbox.ok("config", "set", "audit.stale_days", "90")

    assert sandbox.ok("config", "get", "audit.stale_days").out == "90\n"


def test_the_document_has_each_threshold_with_its_default() -> None:
    document = DOCUMENT.read_text()

    for each in fields(Policy):
        assert f"| `{each.name}` | {each.default} |" in document
