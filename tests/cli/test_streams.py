"""Standard output is data, standard error is talk: every command on a terminal, in a pipe, and with --json."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final

import pytest

from tests.cli.conftest import Stocked
from tests.support.ground import active_keys, sha256
from tests.support.sandbox import SECRET, Sandbox
from tests.support.terminal import Terminal

ELSEWHERE: Final = "an-older-secret-minted-elsewhere"
TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
HINT: Final = r"sk-[0-9A-Za-z]{4}…[0-9A-Za-z]{4}"
KEY_ID: Final = r"key_[0-9a-hjkmnp-tv-z]{16}"

# Each command; what all of standard output is in a pipe; a word that is said of it on standard error.
IN_A_PIPE: Final = {
    "create": (["keys", "create", "--name", "new"], "", r"sk-[0-9A-Za-z]{45}\n", "new"),
    "list": (["keys", "list"], "", rf"{KEY_ID}\tprod\tactive\t{HINT}\t{TIME}\t\t\n", ""),
    "list of nothing": (["keys", "list", "--name", "x*"], "", "", "No key matches"),
    "show": (["keys", "show", "prod"], "", rf"name:\tprod\nid:\t{KEY_ID}\nstatus:\tactive\n(\w+:\t.*\n)+", ""),
    "rename": (["keys", "rename", "prod", "api"], "", "", "prod is called api now"),
    "update": (["keys", "update", "prod", "--rpm", "60"], "", "", "is updated"),
    "revoke": (["keys", "revoke", "prod", "--yes"], "", "", "is revoked"),
    "verify": (["keys", "verify"], "SECRET", rf"status:\tactive\nhint:\t{HINT}\nname:\tprod\n(\w+:\t.*\n)+", ""),
    "import": (["keys", "import", "--name", "old"], ELSEWHERE, "", "old"),
    "env check": (["env", "check"], "", r"\.env\tfine\t\t\t\n", ""),
}

# Each command, and fields of the one JSON object that all of standard output is.
AS_JSON: Final[dict[str, tuple[list[str], str, dict[str, object]]]] = {
    "create": (["keys", "create", "--name", "new"], "", {"object": "api_key", "name": "new", "status": "active"}),
    "create into a file": (["keys", "create", "--name", "new", "--env-file", ".env"], "", {"name": "new"}),
    "list": (["keys", "list"], "", {"object": "list", "has_more": False}),
    "list of nothing": (["keys", "list", "--name", "x*"], "", {"object": "list", "data": [], "first_id": None}),
    "show": (["keys", "show", "prod"], "", {"object": "api_key", "name": "prod", "placements": []}),
    "rename": (["keys", "rename", "prod", "api"], "", {"object": "api_key", "name": "api"}),
    "update": (["keys", "update", "prod", "--rpm", "60"], "", {"object": "api_key", "limits": {"rpm": 60}}),
    "revoke": (["keys", "revoke", "prod", "--yes"], "", {"object": "api_key", "status": "revoked", "changed": True}),
    "verify": (["keys", "verify"], "SECRET", {"object": "api_key.verification", "status": "active"}),
    "import": (["keys", "import", "--name", "old"], ELSEWHERE, {"object": "api_key", "name": "old"}),
    "env check": (["env", "check"], "", {"object": "list"}),
}


@pytest.mark.parametrize("command", IN_A_PIPE)
def test_in_a_pipe_standard_output_is_data_and_nothing_else(stocked: Stocked, command: str) -> None:
    arguments, stdin, data, talk = IN_A_PIPE[command]
    done = stocked.sandbox.ok(*arguments, stdin=stdin.replace("SECRET", stocked.secret))
    assert re.fullmatch(data, done.out)
    assert talk in done.err
    assert "\x1b" not in done.out + done.err
    assert not SECRET.search(done.err)


@pytest.mark.parametrize("command", AS_JSON)
def test_with_json_standard_output_is_one_line_with_one_object(stocked: Stocked, command: str) -> None:
    arguments, stdin, fields = AS_JSON[command]
    done = stocked.sandbox.ok(*arguments, "--json", stdin=stdin.replace("SECRET", stocked.secret))
    assert done.out.count("\n") == 1
    assert {name: done.data[name] for name in fields} == fields
    assert not SECRET.search(done.err)


@pytest.mark.parametrize("command", [name for name, (_, stdin, _) in AS_JSON.items() if not stdin])
def test_with_json_on_a_terminal_the_object_is_indented_and_alone(stocked: Stocked, command: str) -> None:
    arguments, _, fields = AS_JSON[command]
    with Terminal(stocked.sandbox, *arguments, "--json") as terminal:
        done = terminal.finish()
    assert done.code == 0
    assert done.out.startswith("{\n  ")
    assert {name: done.data[name] for name in fields} == fields


def test_json_of_create_has_the_secret_once_and_of_a_delivered_file_not_at_all(repository: Sandbox) -> None:
    printed = repository.ok("keys", "create", "--name", "a", "--json").data
    assert SECRET.fullmatch(printed["value"])
    into_file = repository.ok("keys", "create", "--name", "b", "--env-file", ".env", "--json")
    assert "value" not in into_file.data
    assert not SECRET.search(into_file.out + into_file.err)
    both = repository.ok("keys", "create", "--name", "c", "--env-file", ".env", "--var", "C", "--show", "--json").data
    assert f"C={both['value']}\n" in (repository.cwd / ".env").read_text()
    assert [sha256(printed["value"]), sha256(both["value"])] == [
        key.sha256 for key in active_keys(repository.key_store) if key.name != "b"
    ]


def test_on_a_terminal_the_secret_stands_alone_and_all_talk_is_on_standard_error(sandbox: Sandbox) -> None:
    with Terminal(sandbox, "keys", "create", "--name", "worker") as terminal:
        done = terminal.finish()
        assert SECRET.fullmatch(terminal.screen("out")[0])
        assert len(terminal.screen("out")) == 1
        talk = terminal.screen("err")
    assert done.code == 0
    assert "shown this once" in talk[0]
    assert talk[-1].startswith("✓ worker (key_")
    assert not SECRET.search(done.err)


@pytest.mark.parametrize("columns", [20, 40, 48, 80])
def test_the_secret_is_written_whole_at_any_width(sandbox: Sandbox, columns: int) -> None:
    with Terminal(sandbox, "keys", "create", "--name", "worker", columns=columns, env={"COLUMNS": str(columns)}) as it:
        done = it.finish()
    assert sha256(done.secret) == active_keys(sandbox.key_store)[0].sha256


def test_on_one_terminal_the_secret_is_on_a_line_of_its_own_between_the_talk(sandbox: Sandbox) -> None:
    with Terminal(sandbox, "keys", "create", "--name", "worker", together=True) as terminal:
        terminal.finish()
        lines = [line for line in terminal.screen() if line]
    assert [bool(SECRET.fullmatch(line)) for line in lines] == [False, True, False]


def test_quiet_leaves_nothing_but_the_secret(sandbox: Sandbox) -> None:
    done = sandbox.ok("keys", "create", "--name", "worker", "--quiet")
    assert SECRET.fullmatch(done.secret)
    assert done.err == ""
    with Terminal(sandbox, "keys", "create", "--name", "other", "-q") as terminal:
        on_terminal = terminal.finish()
    assert (SECRET.fullmatch(on_terminal.secret) is not None, on_terminal.err.strip()) == (True, "")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["keys", "rename", "prod", "api"], "prod is called api now"),
        (["keys", "update", "prod", "--rpm", "60"], "is updated"),
        (["keys", "revoke", "prod", "--yes"], "is revoked"),
    ],
    ids=["rename", "update", "revoke"],
)
def test_quiet_silences_success_and_nothing_else(stocked: Stocked, command: list[str], said: str) -> None:
    assert stocked.sandbox.ok(*command, "--quiet").err == ""
    again = stocked.sandbox.run(*command)
    assert said not in again.err
    assert again.err


def test_quiet_does_not_silence_errors_and_warnings(stocked: Stocked) -> None:
    assert "No key is called 'nosuch'" in stocked.sandbox.run("keys", "show", "nosuch", "--quiet").err
    (stocked.sandbox.cwd / ".env").write_text("A=1\n")
    (stocked.sandbox.cwd / ".env").chmod(0o644)
    done = stocked.sandbox.ok("keys", "create", "--name", "loud", "--env-file", ".env", "--quiet")
    assert "0600" in done.err


def test_with_an_env_file_the_secret_is_printed_only_with_show(repository: Sandbox) -> None:
    hidden = repository.ok("keys", "create", "--name", "a", "--env-file", ".env", "--var", "A")
    assert (hidden.out, SECRET.search(hidden.err)) == ("", None)
    shown = repository.ok("keys", "create", "--name", "b", "--env-file", ".env", "--var", "B", "--show")
    assert f"B={shown.secret}\n" in (repository.cwd / ".env").read_text()
    with Terminal(repository, "keys", "create", "--name", "c", "--env-file", ".env", "--var", "C") as terminal:
        on_terminal = terminal.finish()
    assert (on_terminal.out, SECRET.search(on_terminal.err)) == ("", None)


@pytest.mark.parametrize(
    ("command", "on_screen"),
    [
        (["keys", "list"], ["NAME", "prod", "active"]),
        (["keys", "show", "prod"], ["Name", "prod", "env=prod", "never"]),
    ],
    ids=["list", "show"],
)
def test_on_a_terminal_the_table_is_data(stocked: Stocked, command: list[str], on_screen: list[str]) -> None:
    with Terminal(stocked.sandbox, *command) as terminal:
        done = terminal.finish()
        screen = "\n".join(terminal.screen("out"))
    assert (done.code, done.err) == (0, "")
    assert [word for word in [*on_screen, stocked.key_id] if word not in screen] == []


def test_a_list_says_on_standard_error_what_it_left_out_and_why(stocked: Stocked) -> None:
    stocked.sandbox.ok("keys", "revoke", "prod", "--yes")
    done = stocked.sandbox.ok("keys", "list")
    assert done.out == ""
    assert "1 revoked" in done.err
    assert "--all" in done.err
    assert "\trevoked\t" in stocked.sandbox.ok("keys", "list", "--all").out


def test_what_list_prints_as_json_can_be_imported_elsewhere(stocked: Stocked) -> None:
    listed = stocked.sandbox.ok("keys", "list", "--json").data
    lines = "".join(json.dumps(key) + "\n" for key in listed["data"])
    elsewhere: Any = {"XDG_DATA_HOME": str(stocked.sandbox.root / "elsewhere")}
    counts = stocked.sandbox.ok("keys", "import", "--from", "-", "--json", stdin=lines, env=elsewhere).data
    assert (counts["imported"], counts["failed"]) == (1, 0)
    verified = stocked.sandbox.ok("keys", "verify", "--json", stdin=stocked.secret, env=elsewhere).data
    assert verified["key"]["id"] == stocked.key_id


def test_python_dash_m_is_the_same_program(stocked: Stocked) -> None:
    installed = stocked.sandbox.ok("keys", "list").out
    assert stocked.sandbox.shell(f"{sys.executable} -m routic_cli keys list").out == installed
