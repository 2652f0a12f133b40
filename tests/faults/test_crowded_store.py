"""Many processes, killed processes and full disks: what was said to be stored is stored, and nothing else is."""

from __future__ import annotations

import json
import resource
import signal
import sqlite3  # noqa: TID253  # tests wait for it anyway
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from routic_cli.domain.errors import StoreLockedError
from routic_cli.domain.keys import KeyId, KeyQuery
from routic_cli.service.keys import KeyService
from routic_cli.store import connection
from routic_cli.store.sqlite import SqliteStore
from tests.support.actors import actors, begin, expect, together
from tests.support.keys import HINT, NOW, key_id, new_key, sha256
from tests.support.sandbox import SECRET, Sandbox

ACTOR = "tests.faults.store_actor"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys.db"


def service_of(path: Path) -> KeyService:
    return KeyService(SqliteStore(path, account="default"), clock=lambda: NOW, actor="me")


def ids_in(path: Path) -> set[KeyId]:
    with closing(service_of(path)) as service:
        return {key.id for key in service.page(KeyQuery(limit=5000)).keys}


def is_whole(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as other:
        return [row[0] for row in other.execute("PRAGMA integrity_check")] == ["ok"]


def test_twelve_processes_make_one_store(path: Path) -> None:
    complaints = together(ACTOR, *[("register", path, n, 1) for n in range(12)])

    assert complaints == [""] * 12
    assert ids_in(path) == {key_id(n) for n in range(12)}
    assert [file.name for file in path.parent.iterdir()] == ["keys.db"]


def test_what_eight_processes_write_at_once_is_all_there(path: Path) -> None:
    complaints = together(ACTOR, *[("register", path, 50 * n, 50) for n in range(8)])

    assert complaints == [""] * 8
    assert ids_in(path) == {key_id(n) for n in range(400)}
    assert is_whole(path)


def test_a_lock_that_is_held_for_too_long_is_an_error_that_says_try_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(service_of(path)) as service:
        service.register(new_key(1))
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.05)
    with actors(ACTOR, ("hold", path)) as [holder], closing(service_of(path)) as service:
        begin([holder])
        expect(holder, "held")
        with pytest.raises(StoreLockedError) as caught:
            service.register(new_key(2))
        assert service.find("key-1").id == key_id(1), "readers need not wait for a writer that has not committed"
        begin([holder])
        assert holder.wait(timeout=60) == 0
        service.register(new_key(2))
    assert (caught.value.exit_code, caught.value.code) == (7, "store_locked")
    assert ids_in(path) == {key_id(1), key_id(2)}


def test_a_lock_that_is_let_go_in_time_is_waited_for(path: Path) -> None:
    with closing(service_of(path)) as service:
        service.register(new_key(1))
    with actors(ACTOR, ("hold", path)) as [holder], closing(service_of(path)) as service:
        begin([holder])
        expect(holder, "held")
        later = threading.Timer(0.2, begin, [[holder]])
        later.start()
        service.register(new_key(2))
        later.join()
    assert ids_in(path) == {key_id(1), key_id(2)}


@pytest.mark.parametrize("next_one", ["reads", "writes"])
def test_a_writer_killed_in_the_middle_is_undone_by_whoever_comes_next(path: Path, next_one: str) -> None:
    with closing(service_of(path)) as service:
        service.register(new_key(1))
    before = path.read_bytes()
    with actors(ACTOR, ("spill", path)) as [writer]:
        begin([writer])
        expect(writer, "spilt")
        writer.send_signal(signal.SIGKILL)
        assert writer.wait(timeout=60) == -signal.SIGKILL
    journal = path.with_name("keys.db-journal")
    assert journal.stat().st_size > 0
    assert path.read_bytes() != before, "half of it is in the file: this is what has to be undone"

    with closing(service_of(path)) as service:
        if next_one == "writes":
            service.register(new_key(2))
        keys = {key.id for key in service.page(KeyQuery()).keys}

    assert keys == {key_id(1), key_id(2)} if next_one == "writes" else keys == {key_id(1)}
    assert not journal.exists()
    assert is_whole(path)


def _no_file_above(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_disk_that_fills_up_leaves_the_store_as_it_was(sandbox: Sandbox) -> None:
    sandbox.ok("keys", "create", "--name", "first")
    lines = [json.dumps({"name": f"key-{n}", "sha256": sha256(n), "hint": HINT}) for n in range(6000)]
    (sandbox.cwd / "keys.jsonl").write_text("\n".join(lines))

    done = sandbox.run("keys", "import", "--from", "keys.jsonl", "--json", before=_no_file_above(1 << 20))

    assert done.code == 7
    assert done.out == ""
    assert done.error["code"] in {"unavailable", "outcome_unknown"}
    assert [key["name"] for key in sandbox.ok("keys", "list", "--json").data["data"]] == ["first"]
    assert is_whole(sandbox.key_store)
    assert sandbox.ok("keys", "import", "--from", "keys.jsonl", "--json").data["imported"] == 6000


def test_no_file_of_ours_ever_has_a_secret_in_it(repository: Sandbox) -> None:
    """Neither the store nor the journal of what this machine did, through every way a secret goes."""
    sandbox = repository
    secrets = [sandbox.ok("keys", "create", "--name", "printed").secret]
    sandbox.ok("keys", "create", "--name", "filed", "--env-file", ".env", "--tag", "env=prod")
    secrets += SECRET.findall((sandbox.cwd / ".env").read_text())
    imported = "sk-" + "Legacy0" * 9
    sandbox.ok("keys", "import", "--name", "imported", stdin=imported)
    sandbox.ok("rotate", "filed")
    secrets += SECRET.findall((sandbox.cwd / ".env").read_text())
    sandbox.ok("keys", "verify", stdin=secrets[0])
    sandbox.ok("keys", "revoke", "printed", "--reason", "leaked", "--yes")
    assert len(set(secrets)) == 3

    for secret in (*secrets, imported):
        assert [name for name in sandbox.holders(secret) if name != "work/.env"] == []
        # Nor the part that is random, in whatever encoding a database would choose.
        for text in (secret[3:].encode(), secret[3:].encode("utf-16-le"), secret[3:].encode().hex().encode()):
            files = [path for path in sandbox.files() if path.is_relative_to(sandbox.home)]
            assert files
            assert [path for path in files if text in path.read_bytes()] == []
