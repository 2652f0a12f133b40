"""The gate answers from memory for as long as the store has not changed, and never longer."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3  # noqa: TID253  # tests wait for it anyway
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from routic_cli.domain.minting import mint_secret
from routic_cli.store import connection
from tests.support.auth_endpoint import Endpoint, endpoint_in
from tests.support.keys import NOW
from tests.support.sandbox import Sandbox

_WRITER = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
"""


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with endpoint_in(folder) as endpoint:
        yield endpoint


def test_without_a_store_no_key_is_known_and_one_that_comes_later_is_found(endpoint: Endpoint) -> None:
    assert endpoint.ask(mint_secret().reveal()).code == "invalid_api_key"
    assert not endpoint.store.exists(), "looking must not create a store"
    key = endpoint.create()
    assert endpoint.ask(key).status == 200


def test_what_another_process_commits_counts_from_the_next_request_on(sandbox: Sandbox) -> None:
    key = sandbox.ok("keys", "create", "--name", "shared").secret
    with endpoint_in(sandbox.key_store.parent) as endpoint:
        assert [endpoint.ask(key).status for _ in range(3)] == [200] * 3
        sandbox.ok("keys", "rename", "shared", "renamed")
        assert endpoint.ask(key).headers["x-routic-key-name"] == "renamed"
        sandbox.ok("keys", "revoke", "renamed", "--yes")
        assert endpoint.ask(key).code == "expired_api_key"


def test_no_revocation_is_late_however_often_keys_are_asked_about(endpoint: Endpoint) -> None:
    for n in range(30):
        key = endpoint.create(f"k{n}")
        assert endpoint.ask(key).status == 200
        endpoint.revoke(f"k{n}")
        assert endpoint.ask(key).status == 401


def test_a_store_that_is_put_in_the_place_is_opened(endpoint: Endpoint) -> None:
    early = endpoint.create("early")
    backup = endpoint.folder / "backup.db"
    shutil.copy(endpoint.store, backup)
    late = endpoint.create("late")
    assert [endpoint.ask(key).status for key in (early, late)] == [200, 200]
    os.replace(backup, endpoint.store)  # noqa: PTH105  # what `mv` does

    assert [endpoint.ask(key).status for key in (early, late)] == [200, 401]


def test_a_store_that_is_overwritten_in_place_is_read_anew(endpoint: Endpoint) -> None:
    early = endpoint.create("early")
    before = endpoint.store.read_bytes()
    late = endpoint.create("late")
    assert endpoint.ask(late).status == 200
    with endpoint.store.open("r+b") as file:
        file.write(before)

    assert [endpoint.ask(key).status for key in (early, late)] == [200, 401]


def test_a_store_that_is_gone_is_an_error_and_not_the_callers(endpoint: Endpoint) -> None:
    key = endpoint.create()
    assert endpoint.ask(key).status == 200
    moved = endpoint.store.rename(endpoint.folder / "moved.db")
    reply = endpoint.ask(key)

    assert (reply.status, reply.code) == (503, "unavailable")
    assert reply.headers["retry-after"] == "1"
    assert str(endpoint.folder) not in reply.text
    moved.rename(endpoint.store)
    assert _eventually(endpoint, key) == 200


@pytest.mark.parametrize("damage", ["zeros", "foreign", "empty", "readable by all"])
def test_a_store_that_cannot_be_trusted_lets_nobody_pass(endpoint: Endpoint, damage: str) -> None:
    key = endpoint.create()
    assert endpoint.ask(key).status == 200
    if damage == "zeros":
        endpoint.store.write_bytes(bytes(endpoint.store.stat().st_size))
    elif damage == "empty":
        endpoint.store.write_bytes(b"")
    else:
        other = endpoint.folder / "other.db"
        if damage == "foreign":
            with closing(sqlite3.connect(other)) as made:
                made.execute("CREATE TABLE t (x)")
            other.chmod(0o600)
        else:
            shutil.copy(endpoint.store, other)
            other.chmod(0o644)
        other.replace(endpoint.store)

    reply = endpoint.ask(key)
    assert (reply.status, reply.code) == (503, "unavailable")
    assert [event.outcome for event in endpoint.events()] == ["allowed", "unavailable"]


def test_while_another_process_commits_unknown_keys_wait_and_then_are_told_to_come_again(endpoint: Endpoint) -> None:
    known, fresh = endpoint.create("known"), endpoint.create("fresh")
    assert endpoint.ask(known).status == 200
    with closing(sqlite3.connect(endpoint.store, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        assert endpoint.ask(known).status == 200, "nothing that was committed has changed"
        assert endpoint.ask(fresh).status == 503
        writer.execute("ROLLBACK")
    assert _eventually(endpoint, fresh) == 200


def test_a_request_that_waits_for_a_commit_sees_what_was_committed(tmp_path: Path) -> None:
    with endpoint_in(tmp_path, patience=20.0) as endpoint:
        key = endpoint.create("k")
        assert endpoint.ask(key).status == 200
        writer = sqlite3.connect(endpoint.store, isolation_level=None, check_same_thread=False)
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("UPDATE keys SET revoked_at = ?", (NOW,))
        timer = threading.Timer(0.3, writer.execute, ["COMMIT"])
        timer.start()
        other = endpoint.ask(mint_secret().reveal())  # not known, so it has to be looked up
        timer.join()
        assert other.code == "invalid_api_key"
        assert endpoint.ask(key).code == "expired_api_key"
        writer.close()


def test_a_change_that_was_rolled_back_changes_nothing(endpoint: Endpoint) -> None:
    key = endpoint.create("k")
    assert endpoint.ask(key).status == 200
    with closing(sqlite3.connect(endpoint.store, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("UPDATE keys SET revoked_at = ?", (NOW,))
        writer.execute("ROLLBACK")
    assert endpoint.ask(key).status == 200


def test_a_store_in_wal_mode_is_put_back_and_its_changes_count(endpoint: Endpoint) -> None:
    key = endpoint.create("k")
    assert endpoint.ask(key).status == 200
    with closing(sqlite3.connect(endpoint.store, isolation_level=None)) as writer:
        # The gate's own connection is open, so the other program gets its way only between two requests.
        endpoint.gate.close()
        assert writer.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal"
        writer.execute("UPDATE keys SET revoked_at = ?", (NOW,))
    for suffix in ("-wal", "-shm"):
        assert not endpoint.store.with_name(endpoint.store.name + suffix).exists()
    assert endpoint.ask(key).code == "expired_api_key"
    assert endpoint.store.read_bytes()[18:20] == b"\x01\x01"


def test_what_is_remembered_is_bounded_and_unknown_keys_are_not(endpoint: Endpoint) -> None:
    endpoint.gate._most_known = 3
    keys = [endpoint.create() for _ in range(7)]
    for key in keys:
        assert endpoint.ask(key).status == 200
        assert len(endpoint.gate._known) <= 3
    for _ in range(20):
        assert endpoint.ask(mint_secret().reveal()).status == 401
    assert len(endpoint.gate._known) <= 3
    last = hashlib.sha256(keys[-1].encode()).digest()
    assert endpoint.gate.find(last, NOW) is endpoint.gate.find(last, NOW), "a known key is answered from memory"


def test_opening_the_gate_takes_no_lock_from_a_change_in_the_same_process(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing any descriptor of a file would drop this process's locks on it, and with them a writer's."""
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.05)
    endpoint.create("k")
    with closing(sqlite3.connect(endpoint.store, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        endpoint.ask(mint_secret().reveal())
        endpoint.gate.close()
        done = subprocess.run(
            [sys.executable, "-c", _WRITER, str(endpoint.store)], capture_output=True, text=True, check=False
        )
        assert "database is locked" in done.stderr
        writer.execute("ROLLBACK")


def _eventually(endpoint: Endpoint, key: str) -> int:
    """The status once a failure is no longer remembered; bounded by the test's own patience."""
    for _ in range(200):
        status = endpoint.ask(key).status
        if status != 503:
            return status
        threading.Event().wait(0.05)
    return 503


def test_requests_that_are_answered_together_see_what_was_committed_before_them(endpoint: Endpoint) -> None:
    key, other = endpoint.create("one"), endpoint.create("other")
    assert [endpoint.ask(each).status for each in (key, other)] == [200, 200]
    endpoint.revoke("one")

    with endpoint.gate.at_one_moment():
        assert [endpoint.ask(each).status for each in (key, other, key)] == [401, 200, 401]
        endpoint.revoke("other")

    assert endpoint.ask(other).status == 401
