"""Opening routic's SQLite files: private whatever the umask, refused where others have a hand in, upgraded whole."""

from __future__ import annotations

import os
import sqlite3  # noqa: TID253  # tests wait for it anyway
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from routic_cli.domain.errors import (
    RouticError,
    StoreDamagedError,
    StoreForeignError,
    StoreNewerError,
    UnavailableError,
    UnsafeDestinationError,
)
from routic_cli.domain.keys import KeyId, KeyQuery
from routic_cli.store import upgrading
from routic_cli.store.connection import Kind, connect
from routic_cli.store.database import open_database
from routic_cli.store.migrations import KEY_STORE, STATE
from routic_cli.store.sqlite import SqliteStore
from routic_cli.store.sqlite_errors import translated_errors
from routic_cli.store.state import StateStore
from tests.faults.store_actor import NEXT_KIND, NEXT_STEP
from tests.support.actors import together
from tests.support.keys import NOW, key_id, new_key

SOMEBODY_ELSE = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def make_store(path: Path, *numbers: int) -> Path:
    store = SqliteStore(path, account="default")
    with store.writing(NOW) as tx:
        tx.insert_keys([new_key(n) for n in numbers])
    store.close()
    return path


def ids_in(path: Path) -> list[KeyId]:
    store = SqliteStore(path, account="default")
    with store.reading(NOW) as view:
        ids = [key.id for key in view.page(KeyQuery()).keys]
    store.close()
    return ids


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_store(tmp_path / "keys.db", 1)


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


# Private


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_files_are_0600_and_folders_0700_whatever_the_umask(
    tmp_path: Path, umask: Callable[[int], int], mask: int
) -> None:
    tmp_path.chmod(0o755)
    umask(mask)
    keys, state = tmp_path / "a/b/keys.db", tmp_path / "c/state.db"
    store = SqliteStore(keys, account="default")
    with store.writing(NOW) as tx:
        tx.insert_keys([new_key(1)])
        beside = {path.name: mode(path) for path in keys.parent.iterdir()}
    store.close()
    open_database(state, STATE).close()

    assert beside == {"keys.db": 0o600, "keys.db-journal": 0o600}
    assert (mode(keys), mode(state)) == (0o600, 0o600)
    assert [mode(folder) for folder in (tmp_path / "a", tmp_path / "a/b", tmp_path / "c")] == [0o700] * 3
    assert mode(tmp_path) == 0o755, "a folder that was there is not ours to change"
    assert [file.name for file in keys.parent.iterdir()] == ["keys.db"]


def _symlink(path: Path) -> None:
    path.rename(path.with_name("real.db"))
    path.symlink_to("real.db")


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.db")


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir(0o700)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_symlink, "symbolic link"),
        (_dangling, "symbolic link"),
        (_fifo, "not a regular file"),
        (_folder, "not a regular file"),
        (lambda path: path.chmod(0o640), "mode 0640"),
        (lambda path: path.chmod(0o604), "mode 0604"),
        (lambda path: path.chmod(0o620), "mode 0620"),
        (lambda path: path.parent.chmod(0o777), "replace files in that folder"),
    ],
    ids=["symlink", "dangling", "fifo", "folder", "group reads", "others read", "group writes", "folder of all"],
)
def test_a_file_that_is_not_private_is_refused_and_left_alone(
    path: Path, spoil: Callable[[Path], None], why: str, *, create: bool
) -> None:
    spoil(path)
    before = sorted((file.name, mode(file)) for file in path.parent.iterdir())

    with pytest.raises(UnsafeDestinationError) as caught:
        open_database(path, KEY_STORE, create=create)

    assert why in caught.value.why
    assert caught.value.exit_code == 6
    assert sorted((file.name, mode(file)) for file in path.parent.iterdir()) == before


def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY_ELSE, SOMEBODY_ELSE)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY_ELSE)

    with pytest.raises(UnsafeDestinationError, match="not private") as caught:
        open_database(path, KEY_STORE)
    assert "another user" in caught.value.why


def test_nothing_is_created_where_everybody_may_replace_it(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(UnsafeDestinationError):
        open_database(folder / "keys.db", KEY_STORE)
    assert list(folder.iterdir()) == []


def test_a_folder_whose_files_are_their_owners_is_good_enough(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)

    open_database(folder / "keys.db", KEY_STORE).close()


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_a_journal_that_others_may_write_is_not_played_back(path: Path, suffix: str) -> None:
    planted = path.with_name(path.name + suffix)
    planted.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    planted.chmod(0o666)

    with pytest.raises(UnsafeDestinationError) as caught:
        open_database(path, KEY_STORE)
    assert str(planted) in caught.value.what
    assert planted.exists()


@pytest.mark.parametrize("path", [Path("x" * 300), Path(__file__) / "keys.db"], ids=["too long", "below a file"])
def test_a_place_where_no_file_can_be_is_an_error_that_says_so(path: Path, tmp_path: Path) -> None:
    with pytest.raises(RouticError) as caught:
        open_database(tmp_path / path, KEY_STORE)
    assert caught.value.exit_code == 1
    assert caught.value.not_done


def test_a_commit_outlasts_the_power(path: Path) -> None:
    with closing(open_database(path, KEY_STORE)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 3  # EXTRA: the folder is synced as well
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_sqlite_itself_never_makes_a_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "keys.db")
    assert list(tmp_path.iterdir()) == []


# Whose it is


@pytest.mark.parametrize("name", ["keys.db", "a b.db", "ü.db", "a?b=c#d.db", "%41.db", ":memory:", "file:x"])
def test_every_name_of_a_file_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    make_store(tmp_path / name, 7)

    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert ids_in(tmp_path / name) == [key_id(7)]


def test_each_kind_of_file_is_told_from_the_other(tmp_path: Path, path: Path) -> None:
    state = tmp_path / "state.db"
    open_database(state, STATE).close()

    with pytest.raises(StoreForeignError):
        open_database(state, KEY_STORE)
    with pytest.raises(StoreForeignError):
        StateStore(path).operations()


def test_a_store_in_wal_mode_is_put_back_with_everything_in_it(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        # Leave it as a crash does: with what has been committed in the log only.
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("UPDATE keys SET name = 'from-the-log'")
        other.commit()
        saved = {file: file.read_bytes() for file in path.parent.iterdir()}
    for file, content in saved.items():
        file.write_bytes(content)
        file.chmod(0o600)

    with closing(open_database(path, KEY_STORE)) as connection:
        assert connection.execute("SELECT name FROM keys").fetchone()[0] == "from-the-log"
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert [file.name for file in path.parent.iterdir()] == ["keys.db"]


def test_drafts_that_a_crash_left_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".keys.db.4711-0badcafe.new").write_bytes(b"half made")
    (tmp_path / ".keys.db.4711-0badcafe.new-journal").write_bytes(b"half made")

    make_store(tmp_path / "keys.db", 1)

    assert ids_in(tmp_path / "keys.db") == [key_id(1)]


def test_a_file_that_came_into_place_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready, path = make_store(tmp_path / "ready.db", 5), tmp_path / "keys.db"
    link = os.link

    def faster(draft: Path, target: Path) -> None:
        link(ready, target)
        link(draft, target)

    monkeypatch.setattr(os, "link", faster)
    open_database(path, KEY_STORE).close()

    assert ids_in(path) == [key_id(5)]


def test_a_sqlite_too_old_for_the_schema_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(RouticError) as caught:
        open_database(path, KEY_STORE)
    assert "3.37" in caught.value.why


def test_a_mistake_in_our_own_sql_is_not_called_damage(path: Path) -> None:
    with (
        closing(open_database(path, KEY_STORE)) as connection,
        pytest.raises(sqlite3.OperationalError),
        translated_errors(path, "key store"),
    ):
        connection.execute("SELEKT 1")


def test_a_table_that_is_missing_is_damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE versions")

    with pytest.raises(StoreDamagedError):
        ids_in(path)


@pytest.mark.parametrize(("column", "value"), [("tags", "{"), ("tags", "[1]"), ("scopes", "5"), ("scopes", '["root"]')])
def test_a_row_that_routic_never_wrote_is_damage(path: Path, column: str, value: str) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"UPDATE keys SET {column} = ?", (value,))
        other.commit()

    with pytest.raises(StoreDamagedError):
        ids_in(path)


def test_a_key_without_versions_is_damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("DELETE FROM versions")
        other.commit()

    with pytest.raises(StoreDamagedError):
        ids_in(path)


# Upgrades


def test_an_older_file_is_upgraded_after_a_backup(path: Path, umask: Callable[[int], int]) -> None:
    umask(0o000)
    with closing(open_database(path, NEXT_KIND)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == NEXT_KIND.version
        assert [tuple(row) for row in connection.execute("SELECT id, note FROM keys")] == [(key_id(1), None)]
        assert connection.execute("SELECT count(*) FROM notes").fetchone()[0] == 0
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"

    [backup] = path.parent.glob(f"keys.db.v{KEY_STORE.version}-*.bak")
    assert mode(backup) == 0o600
    assert ids_in(backup) == [key_id(1)]
    assert sorted(file.name for file in path.parent.iterdir()) == sorted([path.name, backup.name])


def test_a_file_is_upgraded_once_and_is_newer_from_then_on(path: Path) -> None:
    for _ in range(2):
        open_database(path, NEXT_KIND).close()

    assert len(list(path.parent.glob("*.bak"))) == 1
    with pytest.raises(StoreNewerError) as caught:
        open_database(path, KEY_STORE)
    assert caught.value.exit_code == 10
    assert f"version is {NEXT_KIND.version}" in caught.value.why


def test_a_store_of_before_there_were_accounts_keeps_its_keys_and_gets_a_place_for_balances(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    first = replace(KEY_STORE, steps=KEY_STORE.steps[:1])
    with closing(open_database(path, first)) as old:
        old.execute(
            "INSERT INTO keys (id, account, name, tags, scopes, created_at) VALUES (?, 'default', 'a', '{}', '[]', 1)",
            (key_id(1),),
        )
    with closing(open_database(path, KEY_STORE)) as now:
        assert [row["id"] for row in now.execute("SELECT id FROM keys")] == [key_id(1)]
        assert now.execute("SELECT count(*) FROM accounts").fetchone()[0] == 0
    assert len(list(tmp_path.glob("keys.db.v1-*.bak"))) == 1


def test_a_new_file_has_every_step(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "new.db", NEXT_KIND)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == NEXT_KIND.version
        connection.execute("SELECT note FROM keys")
    assert [file.name for file in tmp_path.iterdir()] == ["new.db"]


@pytest.mark.parametrize("statement", ["NOT SQL", "CREATE TABLE keys (x)", "INSERT INTO trail VALUES (NULL)"])
def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, statement: str) -> None:
    failing = replace(KEY_STORE, steps=(*KEY_STORE.steps, (*NEXT_STEP, "UPDATE keys SET name = 'x'", statement)))
    before = path.read_bytes()

    for _ in range(2):
        with pytest.raises(sqlite3.Error):
            open_database(path, failing)

    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["keys.db"]
    assert ids_in(path) == [key_id(1)]


def test_without_a_backup_there_is_no_upgrade(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(_: Path) -> sqlite3.Connection:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(upgrading, "connect", full)
    with pytest.raises(UnavailableError):
        open_database(path, NEXT_KIND)

    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["keys.db"]


def test_a_damaged_file_is_not_upgraded(tmp_path: Path) -> None:
    path = make_store(tmp_path / "keys.db", *range(300))
    with closing(open_database(path, KEY_STORE)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'keys_by_name'").fetchone()[0]
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = b"\xa5" * 4096
    path.write_bytes(content)

    with pytest.raises(StoreDamagedError):
        open_database(path, NEXT_KIND)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["keys.db"]


def test_processes_that_upgrade_at_once_upgrade_once(path: Path) -> None:
    assert together("tests.faults.store_actor", *[("upgrade", path)] * 4) == [""] * 4

    assert len(list(path.parent.glob("*.bak"))) == 1
    with closing(open_database(path, NEXT_KIND)) as connection:
        assert connection.execute("SELECT count(*) FROM keys").fetchone()[0] == 1


def test_every_kind_has_its_own_identity() -> None:
    kinds: list[Kind] = [KEY_STORE, STATE]
    assert len({kind.application_id for kind in kinds}) == len(kinds)
    assert all(kind.version == len(kind.steps) >= 1 for kind in kinds)
