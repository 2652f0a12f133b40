"""`export`: which key of which store, in which variable, and where GitHub gets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.exporting import Home, secret_in
from tests.support.sandbox import Sandbox

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
