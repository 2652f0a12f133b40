"""What is seen: colours only where they are wanted, tables that fit, nothing that a terminal obeys."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.cli.conftest import Stocked
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal

LONG = "prod-backend-" + "x" * 51


def everything_shown(sandbox: Sandbox, *arguments: str, env: Mapping[str, str]) -> str:
    with Terminal(sandbox, *arguments, env=env) as terminal:
        done = terminal.finish()
    return done.out + done.err


COLOURED = (["keys", "list"], ["keys", "show", "prod"], ["keys", "show", "nosuch"], ["keys", "--help"])


@pytest.mark.parametrize("command", COLOURED, ids=" ".join)
def test_a_terminal_gets_colours(stocked: Stocked, command: list[str]) -> None:
    assert "\x1b[" in everything_shown(stocked.sandbox, *command, env={})


@pytest.mark.parametrize(
    "env",
    [
        {"NO_COLOR": "1"},
        {"NO_COLOR": "1", "FORCE_COLOR": "1"},
        {"FORCE_COLOR": "0"},
        {"CLICOLOR": "0"},
        {"TERM": "dumb"},
    ],
    ids=str,
)
@pytest.mark.parametrize("command", COLOURED, ids=" ".join)
def test_no_escape_sequence_where_colours_are_not_wanted(
    stocked: Stocked, command: list[str], env: dict[str, str]
) -> None:
    assert "\x1b" not in everything_shown(stocked.sandbox, *command, env=env)


def test_a_dumb_terminal_gets_ascii_only(stocked: Stocked) -> None:
    for command in (
        ["keys", "list"],
        ["keys", "show", "prod"],
        ["keys", "show", "nosuch"],
        ["keys", "create", "--name", "n"],
    ):
        assert everything_shown(stocked.sandbox, *command, env={"TERM": "dumb"}).isascii()


def test_forced_colours_reach_talk_in_a_pipe_and_never_data_for_scripts(stocked: Stocked) -> None:
    env = {"FORCE_COLOR": "1"}
    assert "\x1b[" in stocked.sandbox.run("keys", "show", "nosuch", env=env).err
    assert "\x1b" not in stocked.sandbox.ok("keys", "list", env=env).out
    assert stocked.sandbox.ok("keys", "list", "--json", env=env).data["data"][0]["name"] == "prod"
    assert "\x1b" not in stocked.sandbox.ok("keys", "create", "--name", "n", env=env).out


@pytest.fixture
def long_names(stocked: Stocked) -> tuple[Sandbox, dict[str, str]]:
    """Keys with names of 64 characters, narrow and wide; the id of each."""
    names = [LONG, "生产" * 32, "é" * 64, "a"]
    box = stocked.sandbox
    lines = "\n".join(json.dumps({"name": name, "sha256": f"{n:064x}"}) for n, name in enumerate(names))
    box.ok("keys", "import", "--from", "-", stdin=lines)
    listed = box.ok("keys", "list", "--fields", "name,id").data["data"]
    return box, {key["name"]: key["id"] for key in listed}


@pytest.mark.parametrize("columns", [80, 40, 132])
@pytest.mark.parametrize("by", ["terminal", "COLUMNS"])
def test_a_table_fits_its_terminal_and_loses_no_name_and_no_id(
    long_names: tuple[Sandbox, dict[str, str]], columns: int, by: str
) -> None:
    sandbox, ids = long_names
    env = {"COLUMNS": str(columns)} if by == "COLUMNS" else {}
    width = 200 if by == "COLUMNS" else columns
    with Terminal(sandbox, "keys", "list", columns=width, env={"NO_COLOR": "1", **env}) as terminal:
        done = terminal.finish()
    lines = done.out.splitlines()
    assert max(map(_columns, lines)) <= columns
    unfolded = "".join(line.strip() for line in lines)
    assert [name for name in ids if name not in unfolded] == []
    assert [key_id for key_id in ids.values() if not any(key_id in line for line in lines)] == []


@pytest.mark.parametrize("columns", [80, 40])
def test_one_key_shown_fits_its_terminal(long_names: tuple[Sandbox, dict[str, str]], columns: int) -> None:
    sandbox, ids = long_names
    for name in ids:
        with Terminal(sandbox, "keys", "show", name, columns=columns, env={"NO_COLOR": "1"}) as terminal:
            done = terminal.finish()
        assert max(map(_columns, done.out.splitlines())) <= columns
        assert name in "".join(line.removeprefix("Name").strip() for line in done.out.splitlines())


def test_names_come_back_as_they_went_in_whatever_the_locale(long_names: tuple[Sandbox, dict[str, str]]) -> None:
    sandbox, ids = long_names
    posix = sandbox.ok("keys", "list", env={"LC_ALL": "POSIX"}).out
    assert {line.split("\t")[1] for line in posix.splitlines()} == set(ids)


@pytest.mark.parametrize("text", ["[bold]x[/bold]", ":key:", "a <b>b</b>", "100%s{}"])
def test_texts_are_shown_as_they_are_and_not_interpreted(stocked: Stocked, text: str) -> None:
    stocked.sandbox.ok("keys", "update", "prod", "--tag", f"note={text}")
    assert f"note={text}" in stocked.sandbox.ok("keys", "show", "prod").out
    with Terminal(stocked.sandbox, "keys", "show", "prod") as terminal:
        terminal.finish()
        assert f"note={text}" in "\n".join(terminal.screen())


@pytest.mark.parametrize("text", ["\x1b]0;owned\x07", "\u202egnp.exe", "\x9b31m", "a\rb", "\u200b"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "show", "TEXT"],
        ["keys", "create", "--name", "TEXT"],
        ["keys", "list", "--sort", "TEXT"],
        ["TEXT"],
        ["keys", "list", "--TEXT"],
        ["env", "check", "TEXT"],
        ["--store", "TEXT", "keys", "list"],
        ["--profile", "TEXT", "keys", "list"],
        ["keys", "create", "--name", "a", "--env-file", "TEXT"],
    ],
    ids=["ref", "name", "sort", "command", "option", "path", "store", "profile", "file"],
)
def test_no_argument_can_speak_to_the_terminal_through_a_message(
    stocked: Stocked, arguments: list[str], text: str
) -> None:
    line = [argument.replace("TEXT", text) for argument in arguments]
    shown = everything_shown(stocked.sandbox, *line, env={"NO_COLOR": "1"})
    assert [char for char in text if not char.isprintable() and char in shown.replace("\r\n", "\n")] == []
    in_a_pipe = stocked.sandbox.run(*line)
    assert [char for char in text if not char.isprintable() and char in in_a_pipe.err] == []


def _columns(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
