"""Options that every command takes: wherever they stand on the line, and before anything has happened."""

from __future__ import annotations

from typing import Final

import pytest

from tests.cli.conftest import Stocked
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal

COMMANDS: Final = (
    *(f"keys {verb}" for verb in ("create", "list", "show", "rename", "update", "revoke", "verify", "import")),
    "env check",
)
GLOBAL_OPTIONS: Final = ("--store", "--profile", "--json", "--fields", "--quiet", "--no-input", "--version", "--help")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "keys", "list"],
        ["keys", "--json", "list"],
        ["keys", "list", "--json"],
        ["--json", "keys", "--json", "list", "--json"],
    ],
    ids=["before", "between", "after", "everywhere"],
)
def test_a_global_switch_counts_wherever_it_stands(stocked: Stocked, arguments: list[str]) -> None:
    assert stocked.sandbox.ok(*arguments).data["data"][0]["id"] == stocked.key_id


@pytest.mark.parametrize(
    "arguments",
    [
        ["--store", "other.db", "keys", "create", "--name", "x"],
        ["keys", "--store=other.db", "create", "--name", "x"],
        ["keys", "create", "--name", "x", "--store", "sqlite:///other.db"],
    ],
    ids=["before", "between", "after"],
)
def test_a_global_option_with_a_value_counts_wherever_it_stands(stocked: Stocked, arguments: list[str]) -> None:
    stocked.sandbox.ok(*arguments)
    assert (stocked.sandbox.cwd / "other.db").exists()
    assert "\tx\t" not in stocked.sandbox.ok("keys", "list").out
    assert "\tx\t" in stocked.sandbox.ok("keys", "list", "--store", "other.db").out


def test_the_last_of_two_values_counts(stocked: Stocked) -> None:
    assert stocked.sandbox.ok("--fields", "id", "keys", "show", "prod", "--fields", "name").data == {"name": "prod"}


def test_the_flag_comes_before_the_variable_and_the_variable_before_the_default(stocked: Stocked) -> None:
    box = stocked.sandbox
    env = {"ROUTIC_STORE": str(box.cwd / "variable.db")}
    box.ok("keys", "create", "--name", "v", env=env)
    box.ok("keys", "create", "--name", "f", "--store", "flag.db", env=env)
    names = {
        where: [
            line.split("\t")[1]
            for line in box.ok("keys", "list", *more, env=env if where != "default" else {}).out.splitlines()
        ]
        for where, more in (("variable", []), ("flag", ["--store", "flag.db"]), ("default", []))
    }
    assert names == {"variable": ["v"], "flag": ["f"], "default": ["prod"]}


def test_nothing_in_the_working_directory_configures_routic(stocked: Stocked) -> None:
    for name in (".env", ".routic.toml", "routic.toml", "config.toml"):
        (stocked.sandbox.cwd / name).write_text("ROUTIC_STORE=elsewhere.db\nstore='elsewhere.db'\n")
    assert stocked.key_id in stocked.sandbox.ok("keys", "list").out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_data_names_every_global_option_and_fits_80_columns(sandbox: Sandbox, command: str) -> None:
    before = sandbox.snapshot()
    done = sandbox.ok(*command.split(), "--help")
    assert done.err == ""
    assert done.out.startswith(f"Usage: routic {command}")
    assert [option for option in GLOBAL_OPTIONS if option not in done.out] == []
    examples = done.out.partition("Examples:")[2]
    assert f"routic {command}" in examples or command == "env check"
    assert max(map(len, done.out.partition("Examples:")[0].splitlines())) <= 80
    assert sandbox.snapshot() == before


@pytest.mark.parametrize("arguments", [[], ["--help"], ["keys"], ["keys", "--help"], ["env"]])
def test_a_word_alone_shows_what_there_is_below_it(sandbox: Sandbox, arguments: list[str]) -> None:
    done = sandbox.ok(*arguments)
    assert done.out.startswith("Usage: routic")
    assert "Commands:" in done.out
    assert done.err == ""


@pytest.mark.parametrize("arguments", [["--version"], ["keys", "--version"], ["keys", "list", "--version"]])
def test_the_version_is_one_line_wherever_it_is_asked_for(sandbox: Sandbox, arguments: list[str]) -> None:
    done = sandbox.ok(*arguments)
    assert done.out.startswith("routic ")
    assert done.out.count("\n") == 1


def test_fields_select_in_their_order_and_imply_json(stocked: Stocked) -> None:
    done = stocked.sandbox.ok("keys", "show", "prod", "--fields", "name, expires_at,id")
    assert done.out == f'{{"name":"prod","expires_at":null,"id":"{stocked.key_id}"}}\n'
    listed = stocked.sandbox.ok("keys", "list", "--fields", "id").data
    assert (listed["object"], listed["data"]) == ("list", [{"id": stocked.key_id}])


@pytest.mark.parametrize("fields", ["id,nosuch", "", ",", "NAME"])
def test_a_key_is_not_created_for_fields_that_there_are_not(sandbox: Sandbox, fields: str) -> None:
    before = sandbox.snapshot()
    done = sandbox.run("keys", "create", "--name", "a", "--fields", fields)
    assert (done.code, done.out) == (2, "")
    assert "usage_since, value" in done.error["message"]
    assert sandbox.snapshot() == before


def test_the_value_is_a_field_only_where_it_is_asked_for(repository: Sandbox) -> None:
    assert list(repository.ok("keys", "create", "--name", "a", "--fields", "value").data) == ["value"]
    refused = repository.run("keys", "create", "--name", "b", "--env-file", ".env", "--fields", "value")
    assert refused.code == 2
    assert "\tb\t" not in repository.ok("keys", "list").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "list"],
        ["keys", "show", "prod"],
        ["keys", "verify"],
        ["env", "check"],
        ["keys", "rename", "prod", "api"],
        ["keys", "update", "prod", "--rpm", "5"],
        ["keys", "revoke", "prod", "--yes"],
        ["keys", "import", "--name", "old"],
    ],
    ids=lambda arguments: arguments[1],
)
def test_an_unknown_field_lists_those_there_are_before_anything_changes(stocked: Stocked, arguments: list[str]) -> None:
    before = stocked.sandbox.snapshot()
    done = stocked.sandbox.run(*arguments, "--fields", "nosuch", stdin="an-older-secret-minted-elsewhere")
    assert (done.code, done.out) == (2, "")
    assert done.error["message"].startswith("There is no field 'nosuch'. The fields are object, ")
    assert stocked.sandbox.snapshot() == before


@pytest.mark.parametrize("how", [["--no-input"], "1", "true"])
def test_no_input_never_asks_at_a_terminal(stocked: Stocked, how: list[str] | str) -> None:
    flags, env = (how, {}) if isinstance(how, list) else ([], {"ROUTIC_NO_INPUT": how})
    for command in (["keys", "revoke", "prod"], ["keys", "verify"], ["keys", "import", "--name", "x"]):
        with Terminal(stocked.sandbox, *command, *flags, env=env) as terminal:
            done = terminal.finish()
        assert (done.code, done.out) == (2, "")
    assert stocked.sandbox.ok("keys", "show", "prod", "--fields", "status").data == {"status": "active"}


def test_no_input_set_to_0_does_ask(stocked: Stocked) -> None:
    with Terminal(stocked.sandbox, "keys", "revoke", "prod", env={"ROUTIC_NO_INPUT": "0"}) as terminal:
        terminal.expect("[y/N]")
        terminal.type("\r")
        assert terminal.finish().code == 130


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["keys", "show", "nosuch"], 3),
        (["keys", "create", "--name", "prod"], 5),
        (["keys", "create", "--name", "x", "--env-file", "app.py"], 6),
        (["keys", "list", "--nosuch"], 2),
        (["nosuch"], 2),
        (["keys", "revoke", "prod"], 2),
        (["keys", "revoke", "prod", "nosuch", "--yes"], 8),
    ],
    ids=["not found", "conflict", "unsafe", "option", "command", "unconfirmed", "partial"],
)
@pytest.mark.parametrize("where", [0, -1], ids=["before", "after"])
def test_errors_under_json_are_one_error_object_and_nothing_else_on_standard_error(
    stocked: Stocked, arguments: list[str], code: int, where: int
) -> None:
    line = ["--json", *arguments] if where == 0 else [*arguments, "--json"]
    done = stocked.sandbox.run(*line)
    assert done.code == code
    assert set(done.error) >= {"message", "type", "param", "code"}


def test_an_error_is_an_object_when_fields_ask_for_json(stocked: Stocked) -> None:
    assert stocked.sandbox.run("keys", "show", "nosuch", "--fields=id").error["code"] == "key_not_found"


def test_a_profile_of_the_configuration_names_a_store(stocked: Stocked) -> None:
    config = stocked.sandbox.home / ".config/routic/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[profiles.work]\nstore = "{stocked.sandbox.cwd}/work.db"\n')
    config.chmod(0o600)
    stocked.sandbox.ok("keys", "create", "--name", "x", "--profile", "work")
    listed = stocked.sandbox.ok("keys", "list", env={"ROUTIC_PROFILE": "work"}).out
    assert [line.split("\t")[1] for line in listed.splitlines()] == ["x"]
    config.chmod(0o644)
    assert stocked.sandbox.run("keys", "list", "--profile", "work").code == 6
