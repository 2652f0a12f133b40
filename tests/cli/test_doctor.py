"""`routic doctor`: silent on a sound machine; else each trouble with the command that, typed as it stands, mends it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3  # noqa: TID253  # to damage what only routic writes
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.rotations import Machine, at_boundary, folder_in_memory
from tests.support.sandbox import SECRET, Sandbox
from tests.support.syscalls import Fault, needs_strace
from tests.support.terminal import Terminal

AREAS: Final = (
    "Configuration",
    "Permissions",
    "Key store",
    "Clock",
    "Open operations",
    "Keyring",
    "Placements",
    ".env files",
)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A key called `prod` in two files of a repository; there is a space in the name of every path."""
    sandbox = Sandbox(tmp_path_factory.mktemp("doctor") / "my machine")
    sandbox.make_repository()
    (sandbox.cwd / "api").mkdir()
    sandbox.ok("keys", "create", "--name", "prod", "--env-file", ".env", "--env-file", "api/.env")
    shutil.copytree(sandbox.root, sandbox.root.with_suffix(".kept"), symlinks=True)
    return sandbox


@pytest.fixture
def sound(stock: Sandbox) -> Sandbox:
    """In the same place for each test, for a placement is an absolute path."""
    shutil.rmtree(stock.root)
    shutil.copytree(stock.root.with_suffix(".kept"), stock.root, symlinks=True)
    stock.extra.clear()
    return stock


def findings(sandbox: Sandbox) -> list[dict[str, Any]]:
    done = sandbox.run("doctor", "--json")
    found: list[dict[str, Any]] = done.data["data"]
    assert done.code == (9 if found else 0)
    assert done.err == ""
    return found


# A sound machine.


@pytest.mark.parametrize("machine", ["new", "in use"])
def test_of_a_sound_machine_doctor_says_nothing_in_a_pipe_and_changes_nothing(
    sandbox: Sandbox, sound: Sandbox, machine: str
) -> None:
    here = sandbox if machine == "new" else sound
    before = here.snapshot()
    done = here.run("doctor")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert here.run("doctor", "--json").data["data"] == []
    assert here.snapshot() == before


def test_on_a_terminal_doctor_names_every_area_that_is_well(sound: Sandbox) -> None:
    with Terminal(sound, "doctor") as terminal:
        done = terminal.finish()
        screen = terminal.screen("err")
    assert done.code == 0
    assert screen == [f"✓ {area}" for area in AREAS]


def test_a_machine_in_the_midst_of_a_grace_period_is_sound(sound: Sandbox) -> None:
    sound.ok("rotate", "prod")
    assert findings(sound) == []


def test_an_operation_that_is_going_on_is_no_finding() -> None:
    with folder_in_memory() as folder:
        machine = Machine(folder / "machine")
        assert machine.create() == 0
        said = machine.path("doctor")
        with at_boundary(1, lambda: machine.run("doctor", out=said), named="before commit"):
            assert machine.rotate() == 0
        assert "open-operation" not in said.read_text()


# Each trouble.


def configuration(sandbox: Sandbox, text: str, mode: int = 0o600) -> None:
    path = sandbox.home / ".config/routic/config.toml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(text)
    path.chmod(mode)


def wide_configuration(sandbox: Sandbox) -> None:
    configuration(sandbox, "", 0o644)


def broken_configuration(sandbox: Sandbox) -> None:
    configuration(sandbox, "profile = ")


def wide_store(sandbox: Sandbox) -> None:
    sandbox.key_store.chmod(0o644)


def wide_state_file(sandbox: Sandbox) -> None:
    sandbox.state_file.chmod(0o640)


def folder_for_everybody(sandbox: Sandbox) -> None:
    sandbox.key_store.parent.chmod(0o777)


def folder_for_the_group(sandbox: Sandbox) -> None:
    sandbox.state_file.parent.chmod(0o770)


def dead_version(sandbox: Sandbox) -> None:
    sandbox.ok("rotate", "prod", "--env-file", ".env")
    sandbox.ok("rotate", "prod", "--finish", "--force", "--yes")


def dead_key(sandbox: Sandbox) -> None:
    sandbox.ok("keys", "revoke", "prod", "--yes")


def retiring_version(sandbox: Sandbox) -> None:
    sandbox.ok("rotate", "prod", "--env-file", ".env")


def file_gone(sandbox: Sandbox) -> None:
    (sandbox.cwd / "api/.env").unlink()


def file_edited_by_hand(sandbox: Sandbox) -> None:
    (sandbox.cwd / "api/.env").write_text("ROUTIC_API_KEY=by-hand\n")


def file_taken_up_by_git(sandbox: Sandbox) -> None:
    sandbox.git("add", "-f", "api/.env")


def file_ignored_no_longer(sandbox: Sandbox) -> None:
    (sandbox.cwd / ".gitignore").write_text("*.pyc\n")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, and what doctor says of it: at least these findings, by area, rule and severity."""

    make: Callable[[Sandbox], None]
    said: tuple[tuple[str, str, str], ...]


TROUBLES: Final = (
    Trouble(wide_configuration, (("Configuration", "unsafe_destination", "refuse"),)),
    Trouble(broken_configuration, (("Configuration", "failed", "refuse"),)),
    Trouble(wide_store, (("Permissions", "unsafe_destination", "refuse"),)),
    Trouble(wide_state_file, (("Permissions", "unsafe_destination", "refuse"),)),
    Trouble(folder_for_everybody, (("Permissions", "unsafe_destination", "refuse"),)),
    Trouble(folder_for_the_group, (("Permissions", "open-folder", "warn"),)),
    Trouble(dead_version, (("Placements", "dead-placement", "refuse"),)),
    Trouble(dead_key, (("Placements", "dead-placement", "refuse"),) * 2),
    Trouble(retiring_version, (("Placements", "retiring-placement", "warn"),)),
    Trouble(file_gone, (("Placements", "lost-placement", "warn"),)),
    Trouble(file_edited_by_hand, (("Placements", "lost-placement", "warn"),)),
    Trouble(file_taken_up_by_git, ((".env files", "tracked", "refuse"),)),
    Trouble(file_ignored_no_longer, ((".env files", "not-ignored", "refuse"),) * 2),
)
each_trouble: Final = pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.make.__name__)


@each_trouble
def test_each_trouble_is_found_once_in_json_and_as_a_line_in_a_pipe(sound: Sandbox, trouble: Trouble) -> None:
    trouble.make(sound)
    found = findings(sound)
    assert tuple((each["area"], each["rule"], each["severity"]) for each in found) == trouble.said
    for each in found:
        assert set(each) == {"object", "area", "rule", "severity", "message", "remedy"}
        assert each["object"] == "finding"
    before = sound.snapshot()
    done = sound.run("doctor")
    assert (done.code, done.err) == (9, "")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert rows == [[each["area"], each["rule"], each["message"], each["remedy"]] for each in found]
    assert not SECRET.search(done.out)
    assert sound.snapshot() == before, "looking has changed something"


@each_trouble
def test_the_command_that_doctor_names_mends_it_when_it_is_typed(sound: Sandbox, trouble: Trouble) -> None:
    trouble.make(sound)
    sound.extra["EDITOR"] = "truncate --size=0"  # what a person does there is to take out what is wrong
    for _ in range(4):
        found = findings(sound)
        if not found:
            return
        typed = sound.shell(found[0]["remedy"])
        assert typed.code == 0, f"{found[0]['remedy']}: {typed.err}"
    raise AssertionError(f"after four remedies there is still {findings(sound)}")


def test_on_a_terminal_a_finding_stands_beside_the_areas_that_are_well_with_its_command(sound: Sandbox) -> None:
    wide_store(sound)
    with Terminal(sound, "doctor", columns=300) as terminal:
        done = terminal.finish()
        screen = terminal.screen("err")
    assert done.code == 9
    assert screen[0] == "✓ Configuration"
    assert screen[1].startswith("✗ Permissions: The key store")
    assert screen[2].strip() == f"Try: chmod 600 '{sound.key_store}'"


def test_fields_choose_from_the_findings(sound: Sandbox) -> None:
    wide_store(sound)
    done = sound.run("doctor", "--fields", "rule,remedy")
    assert done.code == 9
    assert done.data["data"] == [{"rule": "unsafe_destination", "remedy": f"chmod 600 '{sound.key_store}'"}]


def test_a_field_that_there_is_not_is_refused(sound: Sandbox) -> None:
    assert sound.run("doctor", "--fields", "nosuch").code == 2


# Troubles whose remedy no test can type: a clock, a backup, a newer routic.


@pytest.mark.parametrize(
    ("moment", "severity"),
    [("2020-01-01 00:00:00", "refuse"), ("2026-10-01 00:00:00", "warn")],
    ids=["years", "months"],
)
def test_a_clock_that_is_behind_is_found(sound: Sandbox, moment: str, severity: str) -> None:
    done = sound.run("doctor", "--json", through=("env", "TZ=UTC", "faketime", "-f", moment))
    clock = [each for each in done.data["data"] if each["area"] == "Clock"]
    assert [(each["rule"], each["severity"]) for each in clock] == [("clock", severity)]
    assert "timedatectl" in clock[0]["remedy"]


def test_a_store_that_is_damaged_is_found(sound: Sandbox) -> None:
    content = bytearray(sound.key_store.read_bytes())
    content[4096 * 2 : 4096 * 3] = os.urandom(4096)
    sound.key_store.write_bytes(content)
    found = [each for each in findings(sound) if each["area"] == "Key store"]
    assert found
    assert found[0]["rule"] in {"store-damaged", "store_damaged"}
    assert found[0]["remedy"]


def test_versions_without_a_key_are_found(sound: Sandbox) -> None:
    with closing(sqlite3.connect(sound.key_store)) as connection, connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM keys")
    found = findings(sound)
    assert ("Key store", "store-damaged") in {(each["area"], each["rule"]) for each in found}


@pytest.mark.parametrize(
    ("pragma", "rule"), [("application_id=1", "store_foreign"), ("user_version=99", "store_newer")]
)
def test_a_store_that_is_not_ours_to_read_is_found(sound: Sandbox, pragma: str, rule: str) -> None:
    with closing(sqlite3.connect(sound.key_store)) as connection:
        connection.execute(f"PRAGMA {pragma}")
    before = sound.snapshot()
    found = findings(sound)
    assert [(each["area"], each["rule"]) for each in found] == [("Key store", rule)]
    assert found[0]["remedy"]
    assert sound.snapshot() == before


def test_a_store_that_is_a_link_is_found(sound: Sandbox) -> None:
    real = sound.key_store.with_name("real.db")
    sound.key_store.rename(real)
    sound.key_store.symlink_to(real)
    found = findings(sound)
    assert [(each["area"], each["rule"]) for each in found] == [("Permissions", "unsafe_destination")]
    assert "symbolic link" in found[0]["message"]


def test_a_profile_that_there_is_not_is_found(sound: Sandbox) -> None:
    configuration(sound, 'profile = "nosuch"\n')
    found = findings(sound)
    assert [each["area"] for each in found] == ["Configuration"]
    assert "nosuch" in found[0]["message"]


# Operations that were cut short.


def cut_short(sandbox: Sandbox, *options: object, files: tuple[str, str] = (".env", "api/.env")) -> None:
    """A rotation that dies after the first of its two files has the new secret."""
    # The first two renames only ask whether git's directory is within a rename's reach.
    assert Fault("rename", "signal=KILL", 4).befalls(sandbox, "rotate", "prod", *options) is not None
    assert len({SECRET.findall((sandbox.cwd / name).read_text())[0] for name in files}) == 2


@needs_strace
def test_a_rotation_that_was_cut_short_is_found_and_the_named_command_finishes_it(sound: Sandbox) -> None:
    cut_short(sound)
    found = findings(sound)
    assert ("Open operations", "open-operation", "warn") in {(f["area"], f["rule"], f["severity"]) for f in found}
    remedy = next(each["remedy"] for each in found if each["rule"] == "open-operation")
    assert remedy == "routic doctor --fix"
    mended = sound.shell(remedy)
    assert mended.code == 0, mended.out + mended.err
    assert "Tidied up the rotate" in mended.err
    assert findings(sound) == []
    files = [(sound.cwd / name).read_text() for name in (".env", "api/.env")]
    assert len({SECRET.findall(text)[0] for text in files}) == 1


@needs_strace
def test_looking_alone_leaves_an_operation_open_and_every_file_as_it_is(sound: Sandbox) -> None:
    cut_short(sound)
    # The lock of a dead process may go at any time: it is empty, and whoever wants it makes it again.
    before = {path: said for path, said in sound.snapshot().items() if not path.endswith(".lock")}
    assert [sound.run("doctor").code for _ in range(2)] == [9, 9]
    assert {path: said for path, said in sound.snapshot().items() if not path.endswith(".lock")} == before


@needs_strace
def test_an_operation_on_another_store_is_found_and_the_named_command_finishes_it(sound: Sandbox) -> None:
    other = sound.root / "another store.db"
    (sound.cwd / "other").mkdir()
    for name in ("other/.env", "other/.env.local"):
        (sound.cwd / name).touch(0o600)
    into = ["--env-file", "other/.env", "--env-file", "other/.env.local"]
    sound.ok("--store", other, "keys", "create", "--name", "prod", *into)
    cut_short(sound, "--store", other, files=("other/.env", "other/.env.local"))
    found = findings(sound)
    assert [each["rule"] for each in found] == ["open-operation"]
    mended = sound.shell(found[0]["remedy"])
    assert mended.code == 0, mended.err
    assert findings(sound) == []


def test_fix_on_a_sound_machine_does_nothing(sound: Sandbox) -> None:
    before = sound.snapshot()
    done = sound.run("doctor", "--fix")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert sound.snapshot() == before


def test_fix_with_json_prints_what_is_left(sound: Sandbox) -> None:
    file_gone(sound)
    wide = Path(sound.state_file.parent)
    wide.chmod(0o770)
    done = sound.run("doctor", "--fix", "--json")
    assert done.code == 9
    assert [each["rule"] for each in json.loads(done.out)["data"]] == ["open-folder"]


def test_a_forgotten_place_is_not_renewed_any_more(sound: Sandbox) -> None:
    file_edited_by_hand(sound)
    sound.ok("doctor", "--fix")
    done = sound.ok("rotate", "prod")
    assert str(sound.cwd / "api/.env") not in done.err
    assert (sound.cwd / "api/.env").read_text() == "ROUTIC_API_KEY=by-hand\n"


def test_a_file_that_others_may_read_is_found_and_its_remedy_makes_it_private(sound: Sandbox) -> None:
    path = sound.cwd / ".env"
    path.chmod(0o644)
    assert [(each["rule"], each["area"]) for each in findings(sound)] == [("wide-mode", ".env files")]
    assert sound.shell(findings(sound)[0]["remedy"]).code == 0
    assert (path.stat().st_mode & 0o777, findings(sound)) == (0o600, [])
