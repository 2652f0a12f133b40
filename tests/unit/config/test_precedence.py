"""Where a value comes from: flag, variable, profile, default; and where it never comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routic_cli.config import Flags, asks_for_no_input, load_config
from routic_cli.domain.errors import InvalidRequestError
from tests.support.configs import local, store_of
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the folders of XDG; Windows and macOS have others")


# Precedence


def test_without_anything_the_store_is_in_the_data_folder(environ: dict[str, str], tmp_path: Path) -> None:
    config = load_config(Flags(), environ)

    assert store_of(config) == (str(tmp_path / "home/.local/share/routic/keys.db"), "default")
    assert local(config.store_url).path == tmp_path / "home/.local/share/routic/keys.db"
    assert config.profile is None
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("config_file")
def test_flag_outweighs_variable_outweighs_profile_outweighs_default(environ: dict[str, str]) -> None:
    assert store_of(load_config(Flags(), environ)) == ("/srv/work.db", "profile work")
    environ["ROUTIC_STORE"] = "/srv/variable.db"
    assert store_of(load_config(Flags(), environ)) == ("/srv/variable.db", "ROUTIC_STORE")
    assert store_of(load_config(Flags(store="/srv/flag.db"), environ)) == ("/srv/flag.db", "--store")


def test_so_it_is_with_the_profile(environ: dict[str, str], config_file: Path) -> None:
    def profile(**flags: str) -> tuple[str, str]:
        setting = load_config(Flags(**flags), environ).profile  # type: ignore[arg-type]  # texts only
        assert setting is not None
        return setting.value, setting.source

    assert profile() == ("work", str(config_file))
    environ["ROUTIC_PROFILE"] = "home"
    assert profile() == ("home", "ROUTIC_PROFILE")
    assert store_of(load_config(Flags(), environ)) == ("sqlite:////srv/home.db", "profile home")
    assert profile(profile="bare") == ("bare", "--profile")
    assert load_config(Flags(profile="bare"), environ).store.source == "default"


@pytest.mark.usefixtures("config_file")
def test_a_variable_that_is_empty_is_not_set(environ: dict[str, str]) -> None:
    environ |= {"ROUTIC_STORE": "", "ROUTIC_PROFILE": "", "ROUTIC_CONFIG_DIR": ""}
    assert store_of(load_config(Flags(), environ)) == ("/srv/work.db", "profile work")


@pytest.mark.parametrize("flags", [Flags(store=""), Flags(profile="")])
def test_a_flag_that_is_empty_is_a_mistake(environ: dict[str, str], flags: Flags) -> None:
    # `--store "$STORE"` with a misspelt variable must not mean the default store.
    with pytest.raises(InvalidRequestError, match="is empty"):
        load_config(flags, environ)


@pytest.mark.usefixtures("config_file")
@pytest.mark.parametrize(
    ("profile", "said"),
    [("other", "no profile"), ("odd", "colour"), ("wrong", "must be a text"), ("Work", "no profile")],
)
def test_a_profile_that_cannot_be_followed_is_named(environ: dict[str, str], profile: str, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said) as caught:
        load_config(Flags(profile=profile), environ)
    assert caught.value.exit_code == 2
    assert caught.value.not_done


def test_a_profile_without_a_file_says_where_it_was_looked_for(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        load_config(Flags(profile="work"), environ)
    assert "config.toml has: none" in caught.value.why


# Questions


@pytest.mark.parametrize(
    ("value", "forbidden"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("", False)]
)
def test_questions_are_forbidden_by_flag_or_variable(value: str, *, forbidden: bool) -> None:
    assert asks_for_no_input(Flags(), {"ROUTIC_NO_INPUT": value}) is forbidden
    assert asks_for_no_input(Flags(no_input=True), {"ROUTIC_NO_INPUT": value}) is True
    assert asks_for_no_input(Flags(), {}) is False


# The working directory


def test_nothing_in_the_working_directory_configures_routic(sandbox: Sandbox) -> None:
    sandbox.ok("keys", "create", "--name", "mine")
    trap = "store = 'trap.db'\nprofile = 'trap'\n[profiles.trap]\nstore = 'trap.db'\n"
    for name in (
        "config.toml",
        "routic.toml",
        ".routic.toml",
        "pyproject.toml",
        ".routic/config.toml",
        "routic/config.toml",
    ):
        (sandbox.cwd / name).parent.mkdir(exist_ok=True)
        (sandbox.cwd / name).write_text(trap)
    for name in (".env", ".envrc", "routic.env"):
        (sandbox.cwd / name).write_text("ROUTIC_STORE=trap.db\nROUTIC_PROFILE=trap\nROUTIC_CONFIG_DIR=.\n")
    for name in ("typer.py", "sqlite3.py", "json.py", "sitecustomize.py", "routic_cli.py", "tomllib.py"):
        (sandbox.cwd / name).write_text("raise SystemExit('code from the working directory ran')\n")
    before = sandbox.snapshot()

    listed = sandbox.ok("keys", "list", "--json").data["data"]

    assert [key["name"] for key in listed] == ["mine"]
    assert sandbox.snapshot() == before
