"""The SQLite store keeps the contract, and a few promises of its own."""

from __future__ import annotations

import sqlite3  # noqa: TID253  # tests wait for it anyway
from contextlib import closing
from pathlib import Path

import pytest

from routic_cli.domain.errors import OutcomeUnknownError, RouticError, StoreLockedError
from routic_cli.domain.keys import KeyQuery
from routic_cli.store import connection
from routic_cli.store.interface import Store
from routic_cli.store.sqlite import SqliteStore
from tests.contract.store_contract import OURS, StoreContract, StoreOf
from tests.support.keys import NOW, key_id, new_key


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "data" / "keys.db"

    @pytest.fixture
    def store_of(self, path: Path, request: pytest.FixtureRequest) -> StoreOf:
        def opened(account: str) -> Store:
            store = SqliteStore(path, account=account)
            request.addfinalizer(store.close)
            return store

        return opened

    def test_looking_makes_no_file(self, store: Store, path: Path) -> None:
        with store.reading(NOW) as view:
            assert view.page(KeyQuery()).keys == ()
        store.require_writable()
        assert store.check() == []
        assert not path.parent.exists()

    def test_a_file_that_came_later_is_found(self, store_of: StoreOf) -> None:
        early, late = store_of(OURS), store_of(OURS)
        with early.reading(NOW) as view:
            assert view.page(KeyQuery()).keys == ()
        with late.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        with early.reading(NOW) as view:
            assert len(view.page(KeyQuery()).keys) == 1

    def test_a_commit_that_a_reader_holds_up_has_not_happened_and_says_so(
        self, store_of: StoreOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.05)
        reader, writer = store_of(OURS), store_of(OURS)
        with writer.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        with reader.reading(NOW) as view:
            assert view.key(key_id(1)) is not None  # a transaction reads from its first question on
            with pytest.raises(StoreLockedError), writer.writing(NOW) as tx:
                tx.insert_keys([new_key(2)])
            assert view.key(key_id(2)) is None
        with writer.writing(NOW) as tx:
            assert tx.key(key_id(2)) is None
            tx.insert_keys([new_key(2)])

    def test_two_writers_take_turns_and_the_second_gives_up_in_the_end(
        self, store_of: StoreOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.05)
        first, second = store_of(OURS), store_of(OURS)
        with first.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
            with pytest.raises(StoreLockedError) as caught, second.writing(NOW):
                pytest.fail("the lock was not waited for")
        assert caught.value.exit_code == 7
        assert caught.value.not_done == "Nothing was changed"
        with second.writing(NOW) as tx:
            assert tx.key(key_id(1)) is not None

    @pytest.mark.parametrize("place", [Path(__file__) / "keys.db", Path("x" * 300) / "keys.db"])
    def test_where_no_file_can_be_made_nothing_can_be_written(self, tmp_path: Path, place: Path) -> None:
        with pytest.raises(RouticError) as caught:
            SqliteStore(tmp_path / place, account=OURS).require_writable()
        assert caught.value.not_done

    def test_while_another_writes_it_cannot_be_written(
        self, store_of: StoreOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.05)
        with store_of(OURS).writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
            with pytest.raises(StoreLockedError):
                store_of(OURS).require_writable()

    def test_a_check_reads_what_nobody_else_would(self, store: Store, path: Path) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1), new_key(2)])
        with closing(sqlite3.connect(path)) as other:
            other.execute("DELETE FROM keys WHERE id = ?", (key_id(1),))
            other.commit()

        assert store.check() == ["1 versions without a key"]

    @pytest.mark.parametrize("committed", [True, False])
    def test_a_commit_that_raises_may_have_happened(self, path: Path, *, committed: bool) -> None:
        store = SqliteStore(path, account=OURS)
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        assert store._connection is not None
        store._connection = FailingCommit(store._connection, committed=committed)  # type: ignore[assignment]  # a stand-in
        with pytest.raises(OutcomeUnknownError) as caught, store.writing(NOW) as tx:
            tx.insert_keys([new_key(2)])
        store.close()

        assert caught.value.exit_code == 7
        with store.reading(NOW) as view:
            assert (view.key(key_id(2)) is not None) is committed
        store.close()


class FailingCommit:
    """A connection whose COMMIT raises as a failing disk makes it, before or after the fact."""

    def __init__(self, real: object, *, committed: bool) -> None:
        self._real = real
        self._committed = committed

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def execute(self, sql: str, *parameters: object) -> object:
        execute = self._real.execute  # type: ignore[attr-defined]  # sqlite3 is the store's own
        if sql == "COMMIT":
            if self._committed:
                execute(sql)
            raise sqlite3.OperationalError("disk I/O error")
        return execute(sql, *parameters)
