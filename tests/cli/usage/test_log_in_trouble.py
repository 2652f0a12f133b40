"""A usage log that cannot be opened: what is offered is about the log and not the keys, and it mends it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from routic_cli.paths import usage_log_beside
from tests.cli.usage.conftest import Logged

pytestmark = pytest.mark.parametrize("logged", ["file"], indirect=True)


def symlink(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))
    path.symlink_to("elsewhere.db")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_bytes(b"These are the notes of somebody.\n" * 300)


def others_database(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[68:72] = b"\0\0\0\0"  # the id of the program that it belongs to
    path.write_bytes(content)


def damaged(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))


def damaged_in_a_change(path: Path) -> None:
    damaged(path)
    journal = path.with_name(f"{path.name}-journal")
    journal.touch(0o600)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (symlink, 6),
        (folder, 6),
        (empty, 10),
        (foreign, 10),
        (others_database, 10),
        (damaged, 10),
        (damaged_in_a_change, 10),
    ],
)
def test_the_command_that_is_offered_begins_a_new_log_and_leaves_the_keys(
    logged: Logged, trouble: Callable[[Path], None], code: int
) -> None:
    path = usage_log_beside(logged.sandbox.key_store)
    trouble(path)
    done = logged.run("usage", "show", "--json")
    assert done.code == code
    remedy = done.error["remedy"]
    assert "--store" not in remedy
    command, _, rest = remedy.partition(", and ")
    assert rest.startswith("routic usage import ")

    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert logged.ok("usage", "show", "--json").data["data"] == []
    assert [key["name"] for key in logged.ok("keys", "list", "--json").data["data"]].count("web") == 1
    assert sorted(each.name for each in path.parent.glob("usage.db*")) == (
        ["usage.db.bad", "usage.db.bad-journal"] if trouble is damaged_in_a_change else ["usage.db.bad"]
    )
