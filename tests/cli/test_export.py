"""`export`: what a shell evaluates, what a file gets, and that a failure is one for whoever reads it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3  # noqa: TID253  # an end in the past, which no command gives
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from routic_cli.formats import NAMES
from tests.support.sandbox import SECRET, Done, Sandbox
from tests.support.terminal import Terminal

SHELLS: Final = (("bash", "-c"), ("sh", "-c"), ("zsh", "-f", "-c"))
FISH: Final = ("fish", "--no-config", "-c")
NOT_OURS: Final = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdef12"


@dataclass(frozen=True, slots=True)
class Home:
    """A repository with `prod` in `.env` and `worker` as WORKER_KEY in `.env.worker`; nobody may change it."""

    sandbox: Sandbox
    prod: str
    worker: str


def secret_in(path: Path) -> str:
    (secret,) = SECRET.findall(path.read_text())
    return str(secret)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    sandbox = Sandbox(tmp_path_factory.mktemp("export"))
    sandbox.make_repository()
    sandbox.ok("keys", "create", "--name", "prod", "--env-file", ".env")
    sandbox.ok("keys", "create", "--name", "worker", "--env-file", ".env.worker", "--var", "WORKER_KEY")
    return Home(sandbox, secret_in(sandbox.cwd / ".env"), secret_in(sandbox.cwd / ".env.worker"))


@pytest.fixture
def placed(repository: Sandbox) -> Sandbox:
    """A repository with a key `prod` in `.env`, to be changed."""
    repository.ok("keys", "create", "--name", "prod", "--env-file", ".env")
    return repository


def installed(shell: tuple[str, ...]) -> tuple[str, ...]:
    """The shell, which is no dependency of this project: without it there is nobody to ask, save in CI."""
    if shutil.which(shell[0]) is None:
        assert "CI" not in os.environ, f".ci/run does not install {shell[0]}"
        pytest.skip(f"{shell[0]} is not installed, and nothing else reads what it evaluates")
    return shell


@contextmanager
def unchanged(sandbox: Sandbox) -> Iterator[None]:
    """A command that leaves the working directory as it found it, staged files included."""
    before = [(path, path.read_bytes()) for path in sandbox.files() if path.is_relative_to(sandbox.cwd)]
    yield
    assert [(path, path.read_bytes()) for path in sandbox.files() if path.is_relative_to(sandbox.cwd)] == before


# --- a shell that evaluates it


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_shell_has_the_key_in_its_environment_after_eval(home: Home, shell: tuple[str, ...]) -> None:
    done = home.sandbox.shell(
        'set -e; eval "$(routic export prod)"; exec printenv ROUTIC_API_KEY', interpreter=installed(shell)
    )
    assert done == Done(0, f"{home.prod}\n", "")


@pytest.mark.parametrize("way", ["eval (routic export prod)", "routic export prod | source"])
def test_fish_has_the_key_in_its_environment(home: Home, way: str) -> None:
    done = home.sandbox.shell(f"{way}; and printenv ROUTIC_API_KEY", interpreter=installed(FISH))
    assert done == Done(0, f"{home.prod}\n", "")


@pytest.mark.parametrize(
    ("shell", "beginning"),
    [*((shell, "export ROUTIC_API_KEY=sk-") for shell in SHELLS), (FISH, "set -gx ROUTIC_API_KEY sk-")],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_the_shell_that_asks_is_answered_whatever_the_login_shell_is(
    home: Home, shell: tuple[str, ...], beginning: str
) -> None:
    script = "export SHELL=/usr/bin/fish; routic export prod; export SHELL=/bin/sh; routic export --quiet prod; true"
    done = home.sandbox.shell(script, interpreter=installed(shell))
    assert done.code == 0
    assert [line.startswith(beginning) for line in done.out.splitlines()] == [True, True]


def test_where_no_shell_asks_the_login_shell_is_the_guess_and_sh_without_one(home: Home) -> None:
    assert home.sandbox.ok("export", "prod").out == f"export ROUTIC_API_KEY={home.prod}\n"
    as_fish = home.sandbox.ok("export", "prod", env={"SHELL": "/usr/bin/fish"}).out
    assert as_fish == f"set -gx ROUTIC_API_KEY {home.prod};\n"


FAILURES: Final = [
    pytest.param("nope", 3, "No key is called 'nope'", id="no such key"),
    pytest.param("prod nope", 3, "No key is called 'nope'", id="one of two"),
    pytest.param("A=prod A=worker", 2, "Two keys would have the variable A", id="one variable for two"),
    pytest.param("--var 1x prod", 2, "cannot be the name of a variable", id="no variable"),
    pytest.param("--store keys.txt/x prod", None, "", id="no store"),
    pytest.param("--profile nope prod", 2, "There is no profile 'nope'", id="no profile"),
    pytest.param("--bad prod", 2, "No such option", id="no such option"),
    pytest.param("prod --format", 2, "--format", id="an option without its value"),
    pytest.param("--format nope prod", 2, "There is no export format 'nope'", id="no such format"),
    pytest.param(NOT_OURS, 2, "has the shape of a key", id="a key as an argument"),
]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_failed_export_ends_a_script_of_any_shell(home: Home, shell: tuple[str, ...]) -> None:
    script = 'set -e; eval "$(routic export nope)"; echo went on'
    done = home.sandbox.shell(script, interpreter=installed(shell))
    assert (done.code, done.out) == (1, "")
    assert "No key is called 'nope'" in done.err


@pytest.mark.parametrize(("words", "code", "complaint"), FAILURES)
def test_every_failed_export_ends_a_script_that_ends_on_errors(
    home: Home, words: str, code: int | None, complaint: str
) -> None:
    shell = ("bash", "-c")
    script = f'set -e; eval "$(routic export {words})"; echo went on'
    done = home.sandbox.shell(script, interpreter=installed(shell))
    assert (done.code, done.out) == (1, "")
    assert complaint in done.err
    asked = home.sandbox.shell(f"routic export {words}; exit $?", interpreter=shell)
    assert asked.out == "false\n"
    assert asked.code == code if code is not None else asked.code != 0
    assert NOT_OURS not in done.err + asked.err


@pytest.mark.parametrize("words", ["nope", "--bad prod"])
def test_a_failed_export_fails_in_fish(home: Home, words: str) -> None:
    for way in (f"eval (routic export {words})", f"routic export {words} | source"):
        done = home.sandbox.shell(f"{way}; or exit 9", interpreter=installed(FISH))
        assert (done.code, done.out) == (9, "")
        assert done.err.startswith("✗")


@pytest.mark.parametrize("chosen", ["dotenv", "systemd", "kubernetes", "json"])
def test_a_failed_export_of_data_prints_nothing(home: Home, chosen: str) -> None:
    done = home.sandbox.run("export", "--format", chosen, "nope")
    assert (done.code, done.out) == (3, "")


def test_an_error_under_json_is_one_object_on_standard_error_and_still_fails_the_shell(home: Home) -> None:
    done = home.sandbox.run("export", "nope", "--json")
    assert (done.code, done.out, done.error["code"]) == (3, "false\n", "key_not_found")


# --- a terminal


def test_a_terminal_is_shown_the_secret_with_show_only(home: Home) -> None:
    with Terminal(home.sandbox, "export", "prod") as terminal:
        refused = terminal.finish()
    assert (refused.code, refused.out) == (2, "")
    assert [
        word for word in ("--show", 'eval "$(routic export', "Nothing was exported") if word not in refused.err
    ] == []
    assert SECRET.search(refused.err) is None
    with Terminal(home.sandbox, "export", "prod", "--show", columns=20) as terminal:
        assert terminal.finish() == Done(0, f"export ROUTIC_API_KEY={home.prod}\n", "")


def test_a_format_of_data_shows_no_secret_on_a_terminal_either(home: Home) -> None:
    for chosen in ("json", "kubernetes"):
        with Terminal(home.sandbox, "export", "prod", "--format", chosen) as terminal:
            refused = terminal.finish()
        assert (refused.code, refused.out, SECRET.search(refused.err)) == (2, "", None)


def test_a_file_may_be_written_from_a_terminal(placed: Sandbox) -> None:
    with Terminal(placed, "export", "prod", "--output", ".env.out") as terminal:
        done = terminal.finish()
    assert (done.code, done.out) == (0, "")
    assert "Exported to .env.out" in done.err
    assert SECRET.search((placed.cwd / ".env.out").read_text())


# --- a file


def test_a_file_is_written_for_its_owner_alone_and_nothing_else_is_left(placed: Sandbox) -> None:
    secret = secret_in(placed.cwd / ".env")
    before = set(placed.snapshot())
    done = placed.ok("export", "prod", "--format", "systemd", "--output", ".env.service", before=lambda: _umask(0))
    assert done.out == ""
    path = placed.cwd / ".env.service"
    assert path.read_text() == placed.ok("export", "prod", "--format", "systemd").out
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(placed.snapshot()) - before == {"work/.env.service"}
    assert placed.holders(secret) == ["work/.env", "work/.env.service"]


def _umask(mask: int) -> None:
    os.umask(mask)


def test_an_earlier_export_is_replaced_whole_and_made_private(placed: Sandbox) -> None:
    path = placed.cwd / ".env.out"
    placed.ok("export", "prod", "--output", ".env.out")
    path.chmod(0o644)
    placed.ok("rotate", "prod")
    placed.ok("export", "prod", "--output", ".env.out")
    assert path.read_text() == placed.ok("export", "prod").out
    assert path.stat().st_mode & 0o777 == 0o600


def test_any_other_file_is_replaced_only_by_force(placed: Sandbox) -> None:
    path = placed.cwd / ".env.out"
    path.write_text("DB_PASSWORD=kept\n" * 100)
    done = placed.run("export", "prod", "--output", ".env.out")
    assert (done.code, path.read_text()) == (6, "DB_PASSWORD=kept\n" * 100)
    assert "Nothing was exported" in done.err
    placed.ok("export", "prod", "--output", ".env.out", "--force")
    assert path.read_text() == placed.ok("export", "prod").out


@pytest.mark.parametrize("before", [None, "kept\n"])
def test_a_file_that_git_would_publish_is_refused(home: Home, before: str | None) -> None:
    path = home.sandbox.cwd / "app.env"
    if before is not None:
        path.write_text(before)
    with unchanged(home.sandbox):
        done = home.sandbox.run("export", "prod", "--output", "app.env")
    path.unlink(missing_ok=True)
    assert (done.code, done.out) == (6, "")
    assert [w for w in ("not ignored", "Nothing was exported", "env check --fix app.env") if w not in done.err] == []
    assert home.sandbox.committable() == []


def test_the_remedy_of_a_refused_file_mends_it(placed: Sandbox) -> None:
    refused = placed.run("export", "prod", "--output", "app.env")
    remedy = refused.err.partition("Try: routic ")[2].split()
    placed.ok(*remedy)
    placed.ok("export", "prod", "--output", "app.env")
    assert "app.env" not in placed.committable()


@pytest.mark.parametrize("output", [".env.d/x", ".env.d", "/dev/full"])
def test_a_file_that_cannot_be_written_is_an_error_that_leaves_nothing(home: Home, output: str) -> None:
    folder = home.sandbox.cwd / ".env.d"
    if output == ".env.d":
        folder.mkdir()
    with unchanged(home.sandbox):
        done = home.sandbox.run("export", "prod", "--output", output)
    if folder.exists():
        folder.rmdir()
    assert done.code in {1, 6}
    assert (done.out, "Internal error" in done.err, "Nothing was" in done.err) == ("", False, True)


def test_a_failed_export_leaves_the_file_as_it_was(home: Home) -> None:
    with unchanged(home.sandbox):
        done = home.sandbox.run("export", "nope", "--output", ".env.worker")
    assert (done.code, done.out) == (3, "")


# --- a key that cannot be had


def refused(sandbox: Sandbox, code: int, *words: str) -> None:
    """The error says so and how to get one; and it is the same without a name, and for `run`."""
    done = sandbox.run("export", "prod")
    assert (done.code, done.out) == (code, "false\n")
    said = " ".join(done.err.split())
    assert [word for word in (*words, "Nothing was exported", "Try: routic ") if word not in said] == []
    assert SECRET.search(done.err) is None
    assert sandbox.run("run", "prod", "--", "true").code == 125


def test_a_revoked_key_is_not_exported(placed: Sandbox) -> None:
    placed.ok("keys", "revoke", "prod", "--yes")
    key_id = placed.ok("keys", "list", "--all", "--fields", "id").data["data"][0]["id"]
    done = placed.run("export", key_id)
    assert (done.code, done.out) == (5, "false\n")
    assert ["is revoked" in done.err, "routic keys create" in done.err, "Nothing was exported" in done.err] == [
        True
    ] * 3
    assert placed.run("export", "prod").code in {3, 5}
    assert placed.run("run", key_id, "--", "true").code == 125


def test_an_expired_key_is_not_exported(placed: Sandbox) -> None:
    key_id = placed.ok("keys", "show", "prod", "--fields", "id").data["id"]
    with closing(sqlite3.connect(placed.key_store)) as connection, connection:
        connection.execute("UPDATE keys SET created_at = 1, expires_at = 2")
    done = placed.run("export", key_id)
    assert (done.code, done.out) == (5, "false\n")
    assert ["is expired" in done.err, "routic keys create" in done.err] == [True, True]


def test_a_version_that_was_replaced_elsewhere_is_not_exported(placed: Sandbox) -> None:
    placed.ok("rotate", "prod", "--env-file", ".env.new")
    assert placed.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret_in(placed.cwd / '.env.new')}\n"
    (placed.cwd / ".env.new").unlink()
    refused(
        placed, 1, "cannot be read on this machine", "Version 2", str(placed.cwd / ".env"), "rotate prod --env-file"
    )


def test_a_value_that_was_changed_by_hand_is_not_exported(placed: Sandbox) -> None:
    path = placed.cwd / ".env"
    secret = secret_in(path)
    path.write_text(f"ROUTIC_API_KEY={secret}\nROUTIC_API_KEY={NOT_OURS}\n")
    refused(placed, 1, "cannot be read on this machine", "rotate prod --env-file")
    path.write_text(f"# by hand\nOTHER={secret}\nexport ROUTIC_API_KEY='{secret}'  # quoted\n")
    assert placed.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret}\n"


@pytest.mark.parametrize("way", ["removed", "emptied", "a folder", "a link to nowhere", "not text"])
def test_a_file_that_is_gone_is_no_place_to_export_from(placed: Sandbox, way: str) -> None:
    path = placed.cwd / ".env"
    path.unlink()
    if way == "emptied":
        path.write_text("")
    elif way == "a folder":
        path.mkdir()
    elif way == "a link to nowhere":
        path.symlink_to("nowhere")
    elif way == "not text":
        path.write_bytes(b"\xff\0=\x80")
    refused(placed, 1, "cannot be read on this machine", "rotate prod --env-file")


def test_a_key_that_was_only_printed_says_that_a_store_has_its_hash_only(sandbox: Sandbox) -> None:
    sandbox.ok("keys", "create", "--name", "prod")
    refused(sandbox, 1, "No file or keyring here is known to hold it", "hash only", "rotate prod --env-file")


def test_the_remedy_of_an_unreadable_key_makes_it_readable(placed: Sandbox) -> None:
    (placed.cwd / ".env").unlink()
    remedy = placed.run("export", "prod").err.partition("Try: routic ")[2].partition(",")[0]
    placed.ok(*remedy.replace("PATH", ".env").split())
    assert placed.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret_in(placed.cwd / '.env')}\n"


# --- which key, which variable


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        ("prod", {"ROUTIC_API_KEY": "prod"}),
        ("worker", {"WORKER_KEY": "worker"}),
        ("OPENAI_API_KEY=prod", {"OPENAI_API_KEY": "prod"}),
        ("--var OPENAI_API_KEY prod", {"OPENAI_API_KEY": "prod"}),
        ("--var=_x9 prod", {"_x9": "prod"}),
        ("prod worker", {"ROUTIC_API_KEY": "prod", "WORKER_KEY": "worker"}),
        ("worker A=prod", {"WORKER_KEY": "worker", "A": "prod"}),
        ("A=prod B=prod", {"A": "prod", "B": "prod"}),
        ("", {"ROUTIC_API_KEY": "prod", "WORKER_KEY": "worker"}),
    ],
)
def test_each_key_gets_the_variable_it_is_given_or_the_one_it_has(
    home: Home, words: str, variables: dict[str, str]
) -> None:
    exported = json.loads(home.sandbox.ok("export", "--format", "json", *words.split()).out)
    assert exported == {name: getattr(home, key) for name, key in variables.items()}
    if words:  # a dictionary would forgive another order
        lines = home.sandbox.ok("export", "--format", "dotenv", *words.split()).out.splitlines()
        assert [line.partition("=")[0] for line in lines] == list(variables)


def test_an_id_and_its_beginning_name_a_key_too(home: Home) -> None:
    key_id = home.sandbox.ok("keys", "show", "prod", "--fields", "id").data["id"]
    for ref in (key_id, key_id[:12]):
        assert home.sandbox.ok("export", f"K={ref}").out == f"export K={home.prod}\n"


@pytest.mark.parametrize("words", ["prod OTHER=prod ROUTIC_API_KEY=worker", "A=prod A=prod", "prod prod"])
def test_one_variable_for_two_keys_is_refused(home: Home, words: str) -> None:
    done = home.sandbox.run("export", *words.split())
    assert (done.code, done.out) == (2, "false\n")
    assert "Two keys would have the variable" in done.err
    assert "Nothing was exported" in done.err


def test_var_for_several_keys_is_refused(home: Home) -> None:
    done = home.sandbox.run("export", "--var", "A", "prod", "worker")
    assert (done.code, done.out, "VAR=REF" in done.err) == (2, "false\n", True)


def test_an_empty_var_is_refused_like_any_empty_option(home: Home) -> None:
    done = home.sandbox.run("export", "--var", "", "prod")
    assert (done.code, done.out) == (2, "false\n")


@pytest.mark.parametrize("variable", ["1x", "a-b", "$(id)", "é", "a\nb"])
def test_what_no_shell_takes_for_a_variable_is_refused(home: Home, variable: str) -> None:
    for words in (["--var", variable, "prod"], [f"{variable}=prod"]):
        done = home.sandbox.run("export", *words)
        assert (done.code, done.out) == (2, "false\n")


def test_without_a_name_a_folder_gives_the_keys_of_its_own_files_only(home: Home) -> None:
    folder = home.sandbox.cwd / ".env.folder"
    folder.mkdir()
    done = home.sandbox.shell(f"cd {folder}; routic export")
    folder.rmdir()
    assert (done.code, done.out) == (2, "false\n")
    assert "there are none" in done.err


def test_without_a_name_a_folder_is_known_through_a_link_too(home: Home) -> None:
    link = home.sandbox.root / "link"
    link.symlink_to(home.sandbox.cwd)
    done = home.sandbox.shell(f"cd {link}; routic export --format json")
    link.unlink()
    assert set(json.loads(done.out)) == {"ROUTIC_API_KEY", "WORKER_KEY"}


def test_the_keys_of_a_folder_are_those_of_the_store_that_is_asked(home: Home) -> None:
    done = home.sandbox.run("export", "--store", ".env.other.db")
    assert (done.code, done.out) == (2, "false\n")


# --- github


def test_github_gets_its_masks_first_and_the_values_in_its_file_alone(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "github.env"
    file.write_text("EARLIER=1")
    done = home.sandbox.ok("export", "prod", "worker", "--format", "github", env={"GITHUB_ENV": str(file)})
    assert (done.out, done.err) == (f"::add-mask::{home.prod}\n::add-mask::{home.worker}\n", "")
    assert file.read_text() == f"EARLIER=1\nROUTIC_API_KEY={home.prod}\nWORKER_KEY={home.worker}\n"


def test_github_masks_are_out_before_the_file_has_the_value(home: Home, tmp_path: Path) -> None:
    pipe = tmp_path / "github.env"
    os.mkfifo(pipe)
    process = home.sandbox.start("export", "prod", "--format", "github", env={"GITHUB_ENV": str(pipe)})
    with process:
        assert process.stdout is not None
        # Nobody reads the file yet: what is on standard output was there before it.
        assert process.stdout.readline() == f"::add-mask::{home.prod}\n".encode()
        process.kill()


@pytest.mark.parametrize("path", [None, "", "nowhere/env"])
def test_github_without_its_file_exports_nothing(home: Home, path: str | None) -> None:
    env = {} if path is None else {"GITHUB_ENV": path}
    done = home.sandbox.run("export", "prod", "--format", "github", env=env)
    assert done.code in {1, 2}
    assert f"={home.prod}" not in done.out
    assert "Nothing was exported" in done.err


# --- where global options stand


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same, in a store that an option or a profile has to name."""
    sandbox = Sandbox(tmp_path_factory.mktemp("elsewhere"))
    sandbox.make_repository()
    store = sandbox.root / "other.db"
    config = sandbox.home / ".config/routic/config.toml"
    config.parent.mkdir(mode=0o700, parents=True)
    config.write_text(f'[profiles.work]\nstore = "{store}"\n')
    config.chmod(0o600)
    sandbox.ok("--store", store, "keys", "create", "--name", "prod", "--env-file", ".env")
    return Home(sandbox, secret_in(sandbox.cwd / ".env"), "")


@pytest.mark.parametrize(
    "option", [["--store", "../other.db"], ["--store=../other.db"], ["--profile", "work"]], ids=str
)
def test_a_store_and_a_profile_are_understood_before_and_after(elsewhere: Home, option: list[str]) -> None:
    expected = f"export ROUTIC_API_KEY={elsewhere.prod}\n"
    for line in ([*option, "export", "prod"], ["export", *option, "prod"], ["export", "prod", *option]):
        assert elsewhere.sandbox.ok(*line).out == expected
    assert elsewhere.sandbox.run("export", "prod").code == 3
    assert elsewhere.sandbox.ok("export", "prod", env={"ROUTIC_PROFILE": "work"}).out == expected


# --- the quick way and the long one


PLAIN: Final = (
    *(f"prod --format {name}" for name in NAMES if name != "github"),
    "prod",
    "worker",
    "prod worker",
    "A=prod B=worker",
    "--var=X prod",
    "--var X prod",
    "--var X --var Y prod",
    "--format sh --format fish prod",
    "--store=keys.none prod",
    "--profile none prod",
    "nope",
    "prod nope",
    "A=prod A=worker",
    "--var 1x prod",
    "--var --quiet prod",
    "=prod",
    "A= prod",
    "prod --var",
    "--format= prod",
    "--format nope prod",
    "--form sh prod",
    "- prod",
    "prod --",
    "",
)
# Each line in a forked process, which has all code already: that of starting Python fifty times is not in question.
FORK: Final = """
import json, os, sys, tempfile
from routic_cli.__main__ import main
import routic_cli.app, routic_cli.quick, routic_cli.commands.export
answers = []
for arguments in json.load(sys.stdin):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            os._exit(main(arguments))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0), err.seek(0)
        answers.append([code, out.read().decode(), err.read().decode()])
json.dump(answers, sys.stdout)
"""


def test_the_quick_way_says_what_the_long_way_says(home: Home) -> None:
    lines = [["export", *words.split()] for words in PLAIN]
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=home.sandbox.cwd,
        env=home.sandbox.environ,
        input=json.dumps([*lines, *(["--quiet", *line] for line in lines)]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    quick, long = answers[: len(lines)], answers[len(lines) :]
    assert [line for line, one, other in zip(lines, quick, long, strict=True) if one != other] == []
    assert {answer[0] for answer in quick} == {0, 2, 3}
    assert sum(home.prod in answer[1] for answer in quick) > len(NAMES)


SPY: Final = """
import sys
from routic_cli.__main__ import main
code = main(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write("\\n".join(sys.modules))
sys.exit(code)
"""
HEAVY: Final = frozenset(
    {"typer", "rich", "dotenv", "sqlite_utils", "keyring", "click", "pydantic", "asyncio", "secrets", "routic_cli.app"}
)


@pytest.mark.parametrize("words", ["prod", "prod worker", "A=prod", "--var A prod", "prod --format fish"])
def test_a_shell_that_starts_waits_for_nothing_that_export_does_not_need(
    home: Home, tmp_path: Path, words: str
) -> None:
    report = tmp_path / "modules"
    environ = {name: value for name, value in home.sandbox.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run(
        [sys.executable, "-c", SPY, str(report), "export", *words.split()],
        cwd=home.sandbox.cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    imported = set(report.read_text().splitlines())
    assert "routic_cli.quick" in imported
    assert sorted(imported & HEAVY) == []


@pytest.mark.parametrize(
    "words",
    [
        [NOT_OURS],
        ["prod", NOT_OURS],
        [f"A={NOT_OURS}"],
        ["--var", NOT_OURS, "prod"],
        [f"--format={NOT_OURS}", "prod"],
        ["--store", NOT_OURS, "prod"],
        ["--profile", NOT_OURS, "prod"],
        ["--output", NOT_OURS, "prod"],
        ["prod", "--", NOT_OURS],
    ],
    ids=lambda words: " ".join(words).replace(NOT_OURS, "KEY"),
)
def test_a_key_as_an_argument_is_refused_and_not_echoed(home: Home, words: list[str]) -> None:
    done = home.sandbox.run("export", *words)
    assert (done.code, "has the shape of a key" in done.err) == (2, True)
    assert NOT_OURS[:20] not in done.out + done.err
    assert home.prod not in done.out


# --- a reader that is not there


@pytest.mark.parametrize("more", [[], ["--quiet"]], ids=["quick", "long"])
def test_a_reader_that_has_gone_ends_it_as_it_ends_other_programs(home: Home, more: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = home.sandbox.run("export", "prod", *more, stdout=write)
    os.close(write)
    assert (done.code, done.err) == (-signal.SIGPIPE, "")


@pytest.mark.parametrize("more", [[], ["--quiet"]], ids=["quick", "long"])
def test_a_closed_standard_output_is_an_error_and_nothing_gets_the_secret(home: Home, more: list[str]) -> None:
    before = _digests(home.sandbox)
    done = home.sandbox.run("export", "prod", *more, before=lambda: os.close(1))
    assert (done.code, done.out) == (1, "")
    assert "Standard output is closed" in done.err
    assert _digests(home.sandbox) == before


def _digests(sandbox: Sandbox) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sandbox.files()}


@pytest.mark.parametrize("more", [[], ["--quiet"]], ids=["quick", "long"])
def test_a_full_disk_is_an_error(home: Home, more: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = home.sandbox.run("export", "prod", *more, stdout=full)
    assert (done.code, "No space left on device" in done.err) == (1, True)
