"""The exit codes are a contract, and every error says what did not happen."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from typing import Any, Final

import pytest

from tests.cli.conftest import Stocked
from tests.support.ground import active_keys
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal

# The command, the exit code, the slug of the error object.
FAILURES: Final[dict[str, tuple[list[str], int, str]]] = {
    "no such group": (["nosuch"], 2, "invalid_request"),
    "no such command": (["keys", "nosuch"], 2, "invalid_request"),
    "no such option": (["keys", "list", "--nosuch"], 2, "invalid_request"),
    "missing option": (["keys", "create"], 2, "invalid_request"),
    "missing argument": (["keys", "show"], 2, "invalid_request"),
    "wrong choice": (["keys", "list", "--status", "dead"], 2, "invalid_request"),
    "wrong name": (["keys", "create", "--name", "a b"], 2, "invalid_name"),
    "too long a name": (["keys", "create", "--name", "x" * 65], 2, "invalid_name"),
    "wrong date": (["keys", "create", "--name", "a", "--expires", "soon"], 2, "invalid_request"),
    "date in the past": (["keys", "create", "--name", "a", "--expires", "2020-01-01"], 2, "invalid_request"),
    "wrong limit": (["keys", "create", "--name", "a", "--rpm", "0"], 2, "invalid_request"),
    "wrong tag": (["keys", "create", "--name", "a", "--tag", "novalue"], 2, "invalid_request"),
    "wrong variable": (["keys", "create", "--name", "a", "--env-file", ".env", "--var", "A-B"], 2, "invalid_request"),
    "nothing to change": (["keys", "update", "prod"], 2, "invalid_request"),
    "nothing to revoke": (["keys", "revoke"], 2, "invalid_request"),
    "contradiction": (["keys", "list", "--all", "--status", "active"], 2, "invalid_request"),
    "no secret": (["keys", "verify"], 2, "invalid_request"),
    "nothing to import": (["keys", "import"], 2, "invalid_request"),
    "no such profile": (["--profile", "nosuch", "keys", "list"], 2, "invalid_request"),
    "no such kind of store": (["--store", "ftp://x/y", "keys", "list"], 2, "invalid_request"),
    "a hint instead of a name": (["keys", "show", "sk-AbCd…WxYz"], 2, "invalid_request"),
    "show of no key": (["keys", "show", "nosuch"], 3, "key_not_found"),
    "rename of no key": (["keys", "rename", "nosuch", "a"], 3, "key_not_found"),
    "update of no key": (["keys", "update", "nosuch", "--rpm", "1"], 3, "key_not_found"),
    "revoke of no key": (["keys", "revoke", "nosuch", "--yes"], 3, "key_not_found"),
    "name taken at create": (["keys", "create", "--name", "prod"], 5, "name_taken"),
    "name taken at rename": (["keys", "rename", "other", "prod"], 5, "name_taken"),
    "change of a revoked key": (["keys", "update", "gone", "--rpm", "1"], 5, "key_gone"),
    "file that git would publish": (["keys", "create", "--name", "a", "--env-file", "app.py"], 6, "unsafe_destination"),
    "store that others can read": (["--store", "wide.db", "keys", "list"], 6, "unsafe_destination"),
    "store that is a link": (["--store", "link.db", "keys", "list"], 6, "unsafe_destination"),
    "store of no kind": (["--store", "text.db", "keys", "list"], 10, "store_damaged"),
    "store of another program": (["--store", "foreign.db", "keys", "list"], 10, "store_foreign"),
    "store of a newer routic": (["--store", "newer.db", "keys", "list"], 10, "store_newer"),
    "store cut short": (["--store", "cut.db", "keys", "list"], 10, "store_damaged"),
    "empty store": (["--store", "empty.db", "keys", "list"], 10, "store_damaged"),
}


@pytest.fixture(scope="module")
def spoilt(stock: Stocked, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Besides `prod`, a key called `other`, a revoked one called `gone`, and stores that are not as they should be.

    One for all failures: each of them proves that it changed nothing.
    """
    root = tmp_path_factory.mktemp("spoilt") / "machine"
    shutil.copytree(stock.sandbox.root, root)
    sandbox = Sandbox(root)
    sandbox.ok("keys", "create", "--name", "other")
    sandbox.ok("keys", "create", "--name", "gone")
    sandbox.ok("keys", "revoke", "gone", "--yes")
    stores = {
        "wide.db": sandbox.key_store.read_bytes(),
        "newer.db": sandbox.key_store.read_bytes(),
        "cut.db": sandbox.key_store.read_bytes()[:8192],
        "text.db": b"hello\n",
        "empty.db": b"",
    }
    for name, content in stores.items():
        (sandbox.cwd / name).write_bytes(content)
        (sandbox.cwd / name).chmod(0o600)
    (sandbox.cwd / "wide.db").chmod(0o644)
    (sandbox.cwd / "link.db").symlink_to(sandbox.key_store)
    _sql(sandbox, "newer.db", "PRAGMA user_version=9999")
    _sql(sandbox, "foreign.db", "CREATE TABLE bookmarks (url TEXT)")
    (sandbox.cwd / "foreign.db").chmod(0o600)
    return sandbox


def _sql(sandbox: Sandbox, name: str, statement: str) -> None:
    import sqlite3

    with closing(sqlite3.connect(sandbox.cwd / name)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_has_its_code_leaves_everything_as_it_was_and_explains_itself(spoilt: Sandbox, failure: str) -> None:
    arguments, code, slug = FAILURES[failure]
    before = spoilt.snapshot()
    told = spoilt.run(*arguments)
    assert (told.code, told.out) == (code, "")
    assert told.err.startswith("✗ ")
    as_json = spoilt.run(*arguments, "--json")
    assert (as_json.code, as_json.out) == (code, "")
    assert as_json.error["code"] == slug
    assert set(as_json.error) - {"what", "why", "not_done", "remedy"} == {"message", "type", "param", "code"}
    assert spoilt.snapshot() == before


def test_a_beginning_of_several_ids_is_a_conflict_that_lists_them(sandbox: Sandbox) -> None:
    lines = [{"name": f"k{n}", "id": f"key_{'a' * 15}{n}", "sha256": f"{n:064x}"} for n in range(3)]
    sandbox.ok("keys", "import", "--from", "-", stdin="\n".join(map(json.dumps, lines)))
    done = sandbox.run("keys", "revoke", "--yes", "key_aaa")
    assert done.code == 5
    assert [line["name"] for line in lines if f"{line['id']} ({line['name']})" not in done.err] == []
    assert len(sandbox.ok("keys", "list").out.splitlines()) == 3


def test_a_locked_store_is_unavailable_and_nothing_was_changed(stocked: Stocked) -> None:
    import sqlite3

    with closing(sqlite3.connect(stocked.sandbox.key_store)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = stocked.sandbox.run("keys", "rename", "prod", "api", "--json")
        other.execute("ROLLBACK")
    assert (done.code, done.error["code"]) == (7, "store_locked")
    assert "Nothing was changed" in done.error["message"]
    assert stocked.sandbox.ok("keys", "show", "prod", "--fields", "name").data == {"name": "prod"}


def test_part_of_a_batch_that_failed_is_told_of_each_item(stocked: Stocked) -> None:
    done = stocked.sandbox.run("keys", "revoke", "nosuch", "prod", "--yes", "--json")
    assert done.code == 8
    revoked, missing = done.data["data"]
    assert (revoked["name"], revoked["changed"]) == ("prod", True)
    assert (missing["ref"], missing["error"]["code"]) == ("nosuch", "key_not_found")


def test_bad_lines_of_an_import_do_not_stop_the_good_ones(sandbox: Sandbox) -> None:
    good: dict[str, Any] = {"name": "good", "sha256": "0" * 64}
    lines = "\n".join([json.dumps(good), "{", json.dumps(good | {"name": "b d", "sha256": "1" * 64})])
    done = sandbox.run("keys", "import", "--from", "-", "--json", stdin=lines)
    assert done.code == 8
    assert (done.data["imported"], [error["line"] for error in done.data["errors"]]) == (1, [2, 3])
    again = sandbox.run("keys", "import", "--from", "-", "--json", stdin=json.dumps(good))
    assert (again.code, again.data["already_here"]) == (0, 1)


def test_revoking_again_is_success_and_says_that_nothing_changed(stocked: Stocked) -> None:
    first = stocked.sandbox.ok("keys", "revoke", "prod", "--yes", "--json").data
    second = stocked.sandbox.ok("keys", "revoke", stocked.key_id, "--yes", "--json").data
    assert (first["changed"], second["changed"]) == (True, False)
    assert second["revoked_at"] == first["revoked_at"]


def test_verify_tells_let_in_from_unknown_malformed_revoked_and_expired(stocked: Stocked) -> None:
    import sqlite3

    def verify(secret: str, *more: str) -> tuple[int, str]:
        done = stocked.sandbox.run("keys", "verify", "--json", *more, stdin=secret)
        return done.code, done.data["status"]

    last = stocked.secret[-1]
    mistyped = stocked.secret[:-1] + ("a" if last != "a" else "b")
    unknown = stocked.sandbox.ok("keys", "create", "--name", "x", env={"XDG_DATA_HOME": str(stocked.sandbox.root)})
    assert verify(stocked.secret) == (0, "active")
    assert verify(f"  {stocked.secret}\r\n") == (0, "active")
    assert verify(stocked.secret, "--offline") == (0, "well_formed")
    assert verify(mistyped) == (3, "malformed")
    assert verify(mistyped, "--offline") == (3, "malformed")
    assert verify(stocked.secret[:-1]) == (3, "malformed")
    assert verify(unknown.secret) == (3, "unknown")
    with closing(sqlite3.connect(stocked.sandbox.key_store)) as connection, connection:
        connection.execute("UPDATE keys SET expires_at = 1000")
    assert verify(stocked.secret) == (9, "expired")
    with closing(sqlite3.connect(stocked.sandbox.key_store)) as connection, connection:
        connection.execute("UPDATE keys SET expires_at = NULL")
    stocked.sandbox.ok("keys", "revoke", "prod", "--yes")
    assert verify(stocked.secret) == (9, "revoked")


def test_env_check_ends_with_9_for_what_is_unsafe_or_dead_and_0_for_the_rest(repository: Sandbox) -> None:
    repository.ok("keys", "create", "--name", "a", "--env-file", ".env")
    assert repository.ok("env", "check", "--json").data["data"][0]["verdict"] == "fine"
    assert repository.run("env", "check", "app.py").code == 9
    repository.ok("keys", "revoke", "a", "--yes")
    dead = repository.run("env", "check", "--json")
    assert (dead.code, dead.data["data"][0]["findings"][0]["rule"]) == (9, "dead-key")


def test_data_that_cannot_be_written_is_no_success_and_talk_that_cannot_is_no_failure(stocked: Stocked) -> None:
    stocked.sandbox.ok("keys", "create", "--name", "gone")
    stocked.sandbox.ok("keys", "revoke", "gone", "--yes")
    full = stocked.sandbox.shell("routic keys list >/dev/full")
    closed = stocked.sandbox.shell("routic keys list >&-")
    assert (full.code, "could not be written" in full.err) == (1, True)
    assert (closed.code, "could not be written" in closed.err) == (1, True)
    assert stocked.sandbox.shell("routic keys list 2>/dev/full").code == 0
    assert stocked.sandbox.shell("routic keys list 2>&-").code == 0


def test_a_reader_that_has_seen_enough_ends_a_list_silently_as_it_does_other_programs(sandbox: Sandbox) -> None:
    lines = "\n".join(json.dumps({"name": f"key-{n}", "sha256": f"{n:064x}"}) for n in range(2000))
    sandbox.ok("keys", "import", "--from", "-", stdin=lines)
    process = sandbox.start("keys", "list")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == -13


def test_declining_is_130_and_nothing_is_done(stocked: Stocked) -> None:
    with Terminal(stocked.sandbox, "keys", "revoke", "prod") as terminal:
        terminal.expect("[y/N]")
        terminal.type("n\r")
        done = terminal.finish()
    assert done.code == 130
    assert "Nothing was done" in done.err


def test_without_git_a_place_inside_of_a_repository_is_unsafe(stocked: Stocked) -> None:
    arguments = ["keys", "create", "--name", "a", "--env-file", ".env"]
    done = stocked.sandbox.run(*arguments, env={"PATH": str(stocked.sandbox.root)})
    assert (done.code, active_keys(stocked.sandbox.key_store)[1:]) == (6, [])
