"""When a key was used last: what commands show of it, and what they do when the usage log cannot tell."""

from __future__ import annotations

import sqlite3  # noqa: TID253  # another process's lock
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from routic_cli.paths import usage_log_beside
from tests.cli.conftest import Stocked
from tests.support.terminal import Terminal
from tests.support.usage_events import call_of, record

NOW = int(time.time())
DAY = 86400


@pytest.fixture
def used(stocked: Stocked) -> Stocked:
    """A log that began ten days ago: `prod` was used yesterday; `old` is older than the log, `young` is not."""
    lines = "\n".join(
        f'{{"name": "{name}", "sha256": "{digit * 64}", "created_at": {NOW - age * DAY}}}'
        for name, digit, age in (("old", "a", 40), ("young", "b", 5), ("busy", "c", 40))
    )
    stocked.sandbox.ok("keys", "import", "--from", "-", stdin=lines)
    busy = stocked.sandbox.ok("keys", "show", "busy", "--json").data["id"]
    record(
        stocked.sandbox.key_store, call_of(busy, NOW - 10 * DAY), call_of(busy, NOW - 9 * DAY),
        call_of(stocked.key_id, NOW - DAY + 60),
    )  # fmt: skip
    return stocked


def test_a_list_tells_a_last_use_from_never_and_from_not_known(used: Stocked) -> None:
    with Terminal(used.sandbox, "keys", "list", columns=160) as terminal:
        lines = terminal.finish().out.splitlines()
    rows = {name: next(line for line in lines if name in line) for name in ("prod", "busy", "young", "old")}
    assert "24 hours ago" in rows["prod"]
    assert "9 days ago" in rows["busy"]
    assert "never" in rows["young"]
    assert "unknown" in rows["old"]


def test_json_has_the_last_use_of_a_key_and_of_each_version(used: Stocked) -> None:
    shown = used.sandbox.ok("keys", "show", "prod", "--json").data
    assert (shown["last_used_at"], shown["usage_since"]) == (NOW - DAY + 60, NOW - 10 * DAY)
    assert [version["last_used_at"] for version in shown["versions"]] == [NOW - DAY + 60]
    never = used.sandbox.ok("keys", "show", "young", "--fields", "last_used_at,usage_since").data
    assert never == {"last_used_at": None, "usage_since": NOW - 10 * DAY}


def test_keys_show_tells_the_versions_apart(used: Stocked) -> None:
    used.sandbox.ok("rotate", "prod")
    record(used.sandbox.key_store, call_of(used.key_id, NOW - 2 * DAY, version=2))
    with Terminal(used.sandbox, "keys", "show", "prod", columns=120) as terminal:
        versions = terminal.finish().out.partition("Versions")[2].splitlines()
    assert ["24 hours ago" in line for line in versions if line.strip().startswith("1 ")] == [True]
    assert ["2 days ago" in line for line in versions if line.strip().startswith("2 ")] == [True]


def test_unused_keys_are_those_that_are_older_and_were_not_used_since(used: Stocked) -> None:
    done = used.sandbox.ok("keys", "list", "--unused", "7d", "--fields", "name")
    assert [row["name"] for row in done.data["data"]] == ["busy", "old"]
    longer = used.sandbox.ok("keys", "list", "--unused", "9d", "--fields", "name").data
    assert [row["name"] for row in longer["data"]] == ["busy", "old"]
    assert used.sandbox.ok("keys", "list", "--unused", "41d", "--json").data["data"] == []


def test_a_list_of_the_unused_says_how_far_back_the_log_goes(used: Stocked, stocked: Stocked) -> None:
    assert "log" not in used.sandbox.ok("keys", "list", "--unused", "7d").err
    assert "The usage log begins 10 days ago" in used.sandbox.ok("keys", "list", "--unused", "30d").err
    usage_log_beside(stocked.sandbox.key_store).unlink()
    assert "No usage log tells of these keys" in stocked.sandbox.ok("keys", "list", "--unused", "7d").err


def test_keys_in_the_order_of_their_last_use(used: Stocked) -> None:
    def order(field: str) -> list[str]:
        return [row["name"] for row in used.sandbox.ok("keys", "list", "--sort", field, "--json").data["data"]]

    assert order("-last_used_at")[:2] == ["prod", "busy"]
    assert order("last_used_at")[-2:] == ["busy", "prod"]


def test_revoke_shows_the_last_use_before_it_asks(used: Stocked) -> None:
    with Terminal(used.sandbox, "keys", "revoke", "prod", columns=160) as terminal:
        terminal.expect("[y/N]")
        assert "last used: 24 hours ago" in terminal.err.partition("Revoke")[0]
        terminal.type("n\r")
        assert terminal.finish().code == 130


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    yield


@contextmanager
def cut(path: Path) -> Iterator[None]:
    path.write_bytes(path.read_bytes()[:5000])
    yield


@contextmanager
def foreign(path: Path) -> Iterator[None]:
    path.write_bytes(b"These are the notes of somebody.\n" * 300)
    yield


@contextmanager
def readable_by_all(path: Path) -> Iterator[None]:
    path.chmod(0o644)
    yield


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


Trouble = Callable[[Path], AbstractContextManager[None]]
TROUBLES: dict[Trouble, int] = {damaged: 10, cut: 10, foreign: 10, readable_by_all: 6, locked: 7}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda each: each.__name__)
def test_a_log_in_trouble_keeps_no_key_from_being_shown_changed_or_revoked(used: Stocked, trouble: Trouble) -> None:
    commands = (["list"], ["show", "prod"], ["update", "prod", "--rpm", "5"], ["revoke", "prod", "--yes"])
    with trouble(usage_log_beside(used.sandbox.key_store)):
        for command in commands:
            done = used.sandbox.ok("keys", *command)
            assert done.err.count("Last uses are not known") == 1, done.err
        shown = used.sandbox.ok("keys", "show", "prod", "--json")
    assert (shown.data["status"], shown.data["last_used_at"], shown.data["usage_since"]) == ("revoked", None, None)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("asked", [["--unused", "7d"], ["--sort", "last_used_at"]])
def test_a_log_in_trouble_makes_no_list_that_is_wrong(used: Stocked, trouble: Trouble, asked: list[str]) -> None:
    with trouble(usage_log_beside(used.sandbox.key_store)):
        done = used.sandbox.run("keys", "list", *asked)
    assert (done.code, done.out) == (TROUBLES[trouble], "")
    assert "usage log" in done.err
