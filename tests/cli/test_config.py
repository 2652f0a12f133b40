"""`routic config`: each value and where it came from, and a file that keeps what is changed by nobody."""

from __future__ import annotations

import os
import tomllib  # noqa: TID253  # tests may pay for it
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.sandbox import Sandbox
from tests.support.syscalls import Fault, needs_strace
from tests.support.terminal import Terminal

URL: Final = "https://keys.example.com"
WRITTEN_BY_HAND: Final = """\
# The gateway's keys.
profile = "work"  # the usual one

[audit]
stale_days = 60

[profiles.work]
store = '/srv/work.db'   # on the old disk


[profiles."home.lab"]
store = "sqlite:////srv/home.db"
"""


def file_of(sandbox: Sandbox) -> Path:
    return sandbox.home / ".config/routic/config.toml"


def document_of(sandbox: Sandbox) -> dict[str, Any]:
    return tomllib.loads(file_of(sandbox).read_text())


@pytest.fixture
def by_hand(sandbox: Sandbox) -> Sandbox:
    """A machine on which somebody has written a configuration, with comments."""
    file_of(sandbox).parent.mkdir(parents=True, mode=0o700)
    file_of(sandbox).write_text(WRITTEN_BY_HAND)
    file_of(sandbox).chmod(0o600)
    return sandbox


def listed(sandbox: Sandbox, *arguments: str, **options: Any) -> dict[str, tuple[str | None, str]]:
    settings = sandbox.ok(*arguments, "config", "list", "--json", **options).data["data"]
    found = {each["name"]: (each["value"], each["source"]) for each in settings}
    return {name: shown for name, shown in found.items() if not name.startswith("audit.")}  # test_config_audit.py


# Looking


def test_each_value_is_listed_with_where_it_came_from(by_hand: Sandbox) -> None:
    default = by_hand.key_store
    assert listed(by_hand) == {
        "profile": ("work", str(file_of(by_hand))),
        "store": ("sqlite:////srv/work.db", "profile work"),
        "account": ("default", "default"),
        "ca_file": (None, "default"),
        "token_file": (None, "default"),
        "token": (None, "needed for https:// stores only"),
        "no_input": ("false", "default"),
    }
    env = {"ROUTIC_PROFILE": "home.lab", "ROUTIC_CA_FILE": "/srv/ca.pem", "ROUTIC_NO_INPUT": "1"}
    env["ROUTIC_ACCOUNT"] = "staging"
    assert listed(by_hand, env=env) | {"token": None} == {
        "profile": ("home.lab", "ROUTIC_PROFILE"),
        "store": ("sqlite:////srv/home.db", "profile home.lab"),
        "account": ("staging", "ROUTIC_ACCOUNT"),
        "ca_file": ("/srv/ca.pem", "ROUTIC_CA_FILE"),
        "token_file": (None, "default"),
        "token": None,
        "no_input": ("true", "ROUTIC_NO_INPUT"),
    }
    flags = ("--profile", "work", "--store", URL, "--no-input")
    assert listed(by_hand, *flags, env={**env, "ROUTIC_STORE": "/srv/other.db"}) | {"token": None} == {
        "profile": ("work", "--profile"),
        "store": (URL, "--store"),
        "account": ("staging", "ROUTIC_ACCOUNT"),
        "ca_file": ("/srv/ca.pem", "ROUTIC_CA_FILE"),
        "token_file": (None, "default"),
        "token": None,
        "no_input": ("true", "--no-input"),
    }
    file_of(by_hand).unlink()
    assert listed(by_hand)["store"] == (f"sqlite:///{default}", "default")


def test_a_pipe_gets_name_value_and_source_between_tabs(by_hand: Sandbox) -> None:
    lines = by_hand.ok("config", "list").out.splitlines()
    assert f"profile\twork\t{file_of(by_hand)}" in lines
    assert "store\tsqlite:////srv/work.db\tprofile work" in lines
    assert "ca_file\t\tdefault" in lines


def test_a_person_gets_a_table(by_hand: Sandbox) -> None:
    with Terminal(by_hand, "config", "list", columns=250) as terminal:
        assert terminal.finish().code == 0
        assert terminal.screen()[0].split() == ["SETTING", "FROM", "VALUE"]


def test_a_credential_is_listed_by_its_place_and_never_by_its_value(sandbox: Sandbox) -> None:
    secret = "not-of-any-known-shape-hunter2"
    (sandbox.cwd / "token").write_text(secret)
    settings = sandbox.ok("--store", URL, "config", "list", env={"ROUTIC_TOKEN": secret})
    assert secret not in settings.out + settings.err
    assert "token\tset, never shown\tROUTIC_TOKEN\n" in settings.out
    assert listed(sandbox, "--store", URL, env={"ROUTIC_TOKEN_FILE": "token"})["token"] == (None, "ROUTIC_TOKEN_FILE")
    assert listed(sandbox, "--store", URL)["token"][0] is None
    assert "keyring" in listed(sandbox, "--store", URL)["token"][1]
    got = sandbox.run("config", "get", "token", env={"ROUTIC_TOKEN": secret})
    assert (got.code, got.out, secret in got.err) == (2, "", False)


def test_a_key_that_was_put_where_a_path_belongs_is_not_shown(sandbox: Sandbox) -> None:
    key = "sk-" + "aB3" * 15
    for arguments in (["config", "list"], ["config", "list", "--json"], ["config", "get", "token_file"]):
        done = sandbox.run(*arguments, env={"ROUTIC_TOKEN_FILE": key})
        assert key not in done.out + done.err


@pytest.mark.parametrize("store", ["https://u:hunter2@h.example", "postgresql://u:hunter2@db/x", "ftp://h/?p=hunter2"])
def test_a_password_in_a_store_is_shown_nowhere(sandbox: Sandbox, store: str) -> None:
    for arguments in (
        ["config", "list"],
        ["config", "list", "--json"],
        ["config", "get", "store"],
        ["keys", "list"],
        ["keys", "list", "--json"],
        ["keys", "list", "--bogus"],
        ["keys", "create", "--name", "x", "--env-file", ".env"],
        ["auth", "status"],
        ["doctor"],
        ["config", "set", "store", store],
    ):
        by_flag = sandbox.run("--store", store, *arguments)
        by_variable = sandbox.run(*arguments, env={"ROUTIC_STORE": store})
        assert "hunter2" not in f"{by_flag.out}{by_flag.err}{by_variable.out}{by_variable.err}"
    assert not file_of(sandbox).exists()


def test_get_prints_the_bare_value_and_ends_with_1_where_there_is_none(by_hand: Sandbox) -> None:
    assert by_hand.ok("config", "get", "store").out == "sqlite:////srv/work.db\n"
    assert by_hand.ok("config", "get", "store", "--fields", "value,source").data == {
        "value": "sqlite:////srv/work.db",
        "source": "profile work",
    }
    unset = by_hand.run("config", "get", "ca_file")
    assert (unset.code, unset.out) == (1, "")
    assert by_hand.ok("config", "get", "ca_file", "--json").data["value"] is None


@pytest.mark.parametrize("arguments", [["get", "nosuch"], ["set", "nosuch", "x"], ["unset", "nosuch"]])
def test_an_unknown_setting_lists_those_there_are(sandbox: Sandbox, arguments: list[str]) -> None:
    done = sandbox.run("config", *arguments)
    assert done.code == 2
    assert "profile, store, account, ca_file, token_file" in done.err


def test_the_path_is_told_whatever_is_in_the_file(by_hand: Sandbox) -> None:
    assert by_hand.ok("config", "path").out == f"{file_of(by_hand)}\n"
    file_of(by_hand).write_text("broken =")
    file_of(by_hand).chmod(0o644)
    assert by_hand.ok("--profile", "nosuch", "config", "path", "--json").data["path"] == str(file_of(by_hand))
    moved = by_hand.ok("config", "path", env={"ROUTIC_CONFIG_DIR": "/srv/routic"})
    assert moved.out == "/srv/routic/config.toml\n"


# Writing


def test_the_first_setting_makes_a_private_file_with_a_profile_that_is_active(sandbox: Sandbox) -> None:
    done = sandbox.ok("config", "set", "store", f"{URL}:443/", before=lambda: os.umask(0) and None)
    assert document_of(sandbox) == {"profile": "default", "profiles": {"default": {"store": URL}}}
    assert file_of(sandbox).stat().st_mode & 0o777 == 0o600
    assert file_of(sandbox).parent.stat().st_mode & 0o777 == 0o700
    assert "'default' is the active profile now" in done.err
    assert sandbox.ok("config", "get", "store").out == f"{URL}\n"


def test_what_is_not_changed_stays_as_it_was_written(by_hand: Sandbox) -> None:
    by_hand.ok("config", "set", "store", URL)
    assert file_of(by_hand).read_text() == WRITTEN_BY_HAND.replace("'/srv/work.db'", f'"{URL}"')
    by_hand.ok("--profile", "home.lab", "config", "set", "store", "/srv/new.db")
    by_hand.ok("config", "set", "profile", "home.lab")
    assert file_of(by_hand).read_text() == WRITTEN_BY_HAND.replace("'/srv/work.db'", f'"{URL}"').replace(
        "sqlite:////srv/home.db", "/srv/new.db"
    ).replace('"work"', '"home.lab"')


def test_setting_what_is_set_changes_no_byte(by_hand: Sandbox) -> None:
    by_hand.ok("config", "set", "profile", "work")
    assert file_of(by_hand).read_text() == WRITTEN_BY_HAND


@pytest.mark.parametrize("given", ["flag", "variable"])
def test_a_profile_is_made_by_writing_into_it_and_does_not_become_active(by_hand: Sandbox, given: str) -> None:
    flags, env = (("--profile", "new"), {}) if given == "flag" else ((), {"ROUTIC_PROFILE": "new"})
    assert by_hand.run(*flags, "keys", "list", env=env).code == 2
    by_hand.ok(*flags, "config", "set", "store", "keys.db", env=env)
    assert document_of(by_hand) == tomllib.loads(WRITTEN_BY_HAND) | {
        "profiles": tomllib.loads(WRITTEN_BY_HAND)["profiles"] | {"new": {"store": str(by_hand.cwd / "keys.db")}}
    }
    assert listed(by_hand, *flags, env=env)["store"][0] == f"sqlite:///{by_hand.cwd}/keys.db"


@pytest.mark.parametrize(
    "text",
    [
        "profiles.work.store = '/srv/work.db'\n",
        "profiles = {work = {store = '/srv/work.db'}}\n",
        "[profiles]\nwork = {store = '/srv/work.db'}\n",
        "[profiles]\n[profiles.work]\nstore = '/srv/work.db'\r\n",
        "[profiles.work]\nstore = '/srv/work.db'",
        "[audit]\nold_days = 180\n\n[profiles.work]\nstore = '/srv/work.db'\n\n[other]\nx = 1\n",
    ],
)
def test_however_a_file_is_written_it_can_be_changed(by_hand: Sandbox, text: str) -> None:
    file_of(by_hand).write_text(text)
    expected = tomllib.loads(text)
    by_hand.ok("--profile", "work", "config", "set", "store", URL)
    expected["profiles"]["work"]["store"] = URL
    assert document_of(by_hand) == expected
    by_hand.ok("--profile", "other", "config", "set", "store", URL)
    expected["profiles"]["other"] = {"store": URL}
    assert document_of(by_hand) == expected
    by_hand.ok("config", "set", "profile", "other")
    assert document_of(by_hand) == expected | {"profile": "other"}
    by_hand.ok("config", "unset", "store")
    by_hand.ok("config", "unset", "profile")
    expected["profiles"]["other"] = {}
    assert document_of(by_hand) == expected


def test_paths_are_those_of_the_folder_in_which_they_were_typed(sandbox: Sandbox) -> None:
    for name in ("ca_file", "token_file"):
        (sandbox.cwd / name).touch()
        sandbox.ok("config", "set", name, f"./{name}")
        assert sandbox.ok("config", "get", name).out == f"{sandbox.cwd / name}\n"
        missing = sandbox.run("config", "set", name, "nosuch")
        assert (missing.code, "There is no file" in missing.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["store", ""], "config unset store"),
        (["store", "http://keys.example.com"], "this machine alone"),
        (["store", "postgresql://db/x"], "cannot use the store"),
        (["store", "folder/"], "names no file"),
        (["profile", "nosuch"], "has: home.lab, work"),
        (["token", "hunter2"], "routic auth login"),
        (["ROUTIC_TOKEN", "hunter2"], "routic auth login"),
        (["store", b"a\xff.db"], "not UTF-8"),
        (["--profile", "work", "profile", "work"], "without --profile"),
        (["--profile", "a b", "store", URL], "The name of a profile"),
        (["--profile", "../x", "store", URL], "The name of a profile"),
    ],
)
def test_what_cannot_be_set_is_said_and_nothing_changes(by_hand: Sandbox, arguments: list[Any], said: str) -> None:
    words = [os.fsdecode(word) for word in arguments]
    done = by_hand.run("config", "set", *words)
    assert done.code == 2
    assert said in done.err
    assert "hunter2" not in done.err
    assert file_of(by_hand).read_text() == WRITTEN_BY_HAND


def test_a_key_as_the_value_is_refused_and_not_repeated(by_hand: Sandbox) -> None:
    key = "sk-" + "aB3" * 15
    done = by_hand.run("config", "set", "token_file", key)
    assert (done.code, key in done.err) == (2, False)
    assert file_of(by_hand).read_text() == WRITTEN_BY_HAND


def test_what_outweighs_the_file_is_said(by_hand: Sandbox) -> None:
    done = by_hand.ok("config", "set", "store", URL, env={"ROUTIC_STORE": "/srv/x.db"})
    assert "ROUTIC_STORE is set and outweighs it" in done.err


def test_unset_removes_and_twice_is_success(by_hand: Sandbox) -> None:
    first = by_hand.ok("config", "unset", "store", "--json").data
    assert (first["value"], first["source"], first["changed"]) == (None, "profile work", True)
    assert by_hand.ok("config", "unset", "store", "--json").data["changed"] is False
    assert listed(by_hand)["store"][1] == "default"


def test_unset_makes_no_file(sandbox: Sandbox) -> None:
    sandbox.ok("config", "unset", "store")
    assert not file_of(sandbox).exists()


# Files that are not to be touched


def open_to_others(path: Path) -> None:
    path.chmod(0o644)


def a_link(path: Path) -> None:
    path.rename(path.with_name("real.toml"))
    path.symlink_to("real.toml")


def a_link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing.toml")


def folder_for_everybody(path: Path) -> None:
    path.parent.chmod(0o777)


@pytest.mark.parametrize("spoil", [open_to_others, a_link, a_link_to_nothing, folder_for_everybody])
@pytest.mark.parametrize("change", [["set", "store", URL], ["unset", "profile"]], ids=["set", "unset"])
def test_a_file_that_is_not_private_is_not_written(by_hand: Sandbox, spoil: Any, change: list[str]) -> None:
    spoil(file_of(by_hand))
    before = by_hand.snapshot()
    assert by_hand.run("config", *change).code == 6
    assert by_hand.snapshot() == before


def test_a_file_that_cannot_be_understood_is_not_written(by_hand: Sandbox) -> None:
    for content in (b"profile =", b"\xff\xfe", b"profiles = 5", b"[profiles]\nwork = 5\n", b"profile = 5"):
        file_of(by_hand).write_bytes(content)
        done = by_hand.run("--profile", "work", "config", "set", "store", URL)
        assert (done.code in {1, 2}, "Traceback" in done.err, "Internal error" in done.err) == (True, False, False)
        assert file_of(by_hand).read_bytes() == content


# Two at once, and the worst moment


def test_two_who_write_at_once_lose_nothing(sandbox: Sandbox) -> None:
    running = [
        sandbox.start("--profile", f"p{number}", "config", "set", "store", f"{URL}/{number}") for number in range(12)
    ]
    for process in running:
        _, err = process.communicate()
        assert process.returncode == 0, err
    assert document_of(sandbox)["profiles"] == {f"p{n}": {"store": f"{URL}/{n}"} for n in range(12)}
    assert [path.name for path in file_of(sandbox).parent.iterdir()] == ["config.toml"]


@needs_strace
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_killed_in_the_middle_the_file_is_the_old_one(by_hand: Sandbox, call: str) -> None:
    assert Fault(call, "signal=KILL", 1).befalls(by_hand, "config", "set", "store", URL) is not None
    assert file_of(by_hand).read_text() == WRITTEN_BY_HAND
    by_hand.ok("config", "set", "store", URL)


@needs_strace
@pytest.mark.parametrize("call", ["fsync", "rename", "fchmod"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_beside_it(by_hand: Sandbox, call: str) -> None:
    Fault(call, "error=ENOSPC", 1).befalls(by_hand, "config", "set", "store", URL)
    assert file_of(by_hand).read_text() == WRITTEN_BY_HAND
    assert [path.name for path in file_of(by_hand).parent.iterdir()] == ["config.toml"]


def test_the_folder_is_not_made_where_it_cannot_be(sandbox: Sandbox) -> None:
    (sandbox.home / ".config").write_text("")
    done = sandbox.run("config", "set", "store", URL)
    assert done.code in {1, 7}
    assert "Internal error" not in done.err


def test_each_word_of_the_group_has_help_with_an_example(sandbox: Sandbox) -> None:
    for word in ("list", "get", "set", "unset", "path"):
        assert f"\n  routic config {word}" in sandbox.ok("config", word, "--help").out
