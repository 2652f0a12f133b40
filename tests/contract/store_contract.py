"""What every store of keys has to do. A backend inherits StoreContract and says how one is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from routic_cli.domain.errors import KeyNotFoundError
from routic_cli.domain.keys import KeyId, KeyQuery, KeyStatus, KeyTraits, Scope, SortField
from routic_cli.domain.secret import Fingerprint
from routic_cli.store.interface import Store, StoreWriter, TrailEntry
from tests.support.keys import HINT, NOW, key_id, new_key, new_version, sha256

OURS = "ours"
THEIRS = "theirs"

StoreOf = Callable[[str], Store]


class Interrupted(Exception):  # noqa: N818  # what happens in the block is no error of the store's
    """Something that ends a block before its time."""


def interrupt() -> NoReturn:
    raise Interrupted


def change_and_interrupt(tx: StoreWriter) -> NoReturn:
    tx.insert_keys([new_key(2)])
    tx.set_revoked([key_id(1)], NOW, None)
    tx.add_tombstone(key_id(3), 1, sha256(3), NOW)
    tx.add_trail([TrailEntry(NOW, "me", "key.created", key_id(2), {})])
    interrupt()


class StoreContract:
    """The promises of routic_cli/store/interface.py.

    A backend's test adds the fixture `store_of`: a store for an account; those of two accounts share their place, and
    it closes what it opens.
    """

    @pytest.fixture
    def store(self, store_of: StoreOf) -> Iterator[Store]:
        store = store_of(OURS)
        yield store
        store.close()

    def test_a_store_that_was_never_written_reads_as_empty(self, store: Store) -> None:
        with store.reading(NOW) as view:
            assert view.page(KeyQuery()).keys == ()
            assert view.page(KeyQuery()).has_more is False
            assert view.tally(KeyQuery()) == {}
            assert view.trail(limit=10) == []
            assert view.key(key_id(1)) is None
            assert view.keys_named("key-1") == []
            assert view.key_of_version(sha256(1)) is None
            assert view.is_given_up(key_id(1), 1, sha256(1)) is False

    def test_a_key_comes_back_as_it_went_in(self, store: Store) -> None:
        new = new_key(
            1,
            "数据-1",
            tags={"a": "ü 🦊", "b/c.d": ""},
            scopes=(Scope.API, Scope.USAGE_READ),
            rpm=60,
            expires_at=NOW + 9,
        )
        with store.writing(NOW) as tx:
            tx.insert_keys([new])
        with store.reading(NOW) as view:
            key = view.key(new.id)

        assert key is not None
        assert key.traits == new.traits
        assert (key.id, key.name, key.status, key.created_at) == (new.id, "数据-1", KeyStatus.ACTIVE, NOW)
        assert [(v.number, v.sha256, v.hint, v.created_at, v.expires_at) for v in key.versions] == [
            (1, sha256(1), HINT, NOW, None)
        ]
        assert (key.revoked_at, key.revoke_reason, key.last_used_at) == (None, None, None)

    def test_what_is_written_in_a_block_is_read_in_it(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
            key = tx.key(key_id(1))
            assert key is not None
            assert key.name == "key-1"

    def test_a_block_that_raises_stores_nothing(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        with pytest.raises(Interrupted), store.writing(NOW) as tx:
            change_and_interrupt(tx)
        with store.reading(NOW) as view:
            assert [key.id for key in view.page(KeyQuery()).keys] == [key_id(1)]
            assert view.tally(KeyQuery()) == {KeyStatus.ACTIVE: 1}
            assert not view.is_given_up(key_id(3), 1, sha256(3))
            assert view.trail(limit=10) == []

    def test_it_can_be_written_after_a_block_that_raised(self, store: Store) -> None:
        with pytest.raises(Interrupted), store.writing(NOW):
            interrupt()
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        with pytest.raises(Interrupted), store.reading(NOW):
            interrupt()
        with store.reading(NOW) as view:
            assert view.key(key_id(1)) is not None

    def test_what_one_handle_commits_another_sees(self, store_of: StoreOf) -> None:
        first, second = store_of(OURS), store_of(OURS)
        for number, (writer, reader) in enumerate([(first, second), (second, first)], start=1):
            with writer.writing(NOW) as tx:
                tx.insert_keys([new_key(number)])
            with reader.reading(NOW) as view:
                assert view.key(key_id(number)) is not None

    def test_a_closed_store_may_be_closed_again_and_opens_when_it_is_used(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        store.close()
        store.close()
        with store.reading(NOW) as view:
            assert view.key(key_id(1)) is not None

    @pytest.mark.parametrize(
        ("at", "status"), [(NOW, KeyStatus.ACTIVE), (NOW + 9, KeyStatus.ACTIVE), (NOW + 10, KeyStatus.EXPIRED)]
    )
    def test_status_is_as_of_the_time_asked_for(self, store: Store, at: int, status: KeyStatus) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1, expires_at=NOW + 10)])
        with store.reading(at) as view:
            key = view.key(key_id(1))
            assert key is not None
            assert key.status is status
            assert view.tally(KeyQuery()) == {status: 1}
            assert [key.status for key in view.page(KeyQuery(status=status)).keys] == [status]
            assert view.names_in_use(["key-1"]) == ({"key-1"} if status is KeyStatus.ACTIVE else set())

    def test_names_lead_to_every_key_that_had_them_the_oldest_first(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(2, "a"), new_key(1, "b")])
            tx.set_revoked([key_id(2)], NOW, None)
            tx.insert_keys([new_key(3, "a")])
        with store.reading(NOW) as view:
            assert [key.id for key in view.keys_named("a")] == [key_id(2), key_id(3)]
            assert view.keys_named("A") == []
            assert view.names_in_use(["a", "b", "c"]) == {"a", "b"}

    def test_id_prefixes_are_no_patterns(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1), new_key(2), new_key(32)])
        with store.reading(NOW) as view:
            prefix = key_id(1)[:-1]
            assert [key.id for key in view.keys_by_id_prefix(prefix, 10)] == [key_id(1), key_id(2)]
            assert len(view.keys_by_id_prefix(prefix, 1)) == 1
            assert [key.id for key in view.keys_by_id_prefix(key_id(32), 10)] == [key_id(32)]
            for pattern in ("%", "key%", "____", "key_%", "*", "key?"):
                assert view.keys_by_id_prefix(pattern, 10) == []

    def test_versions_are_kept_in_their_order(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1), new_key(2)])
            tx.insert_version(key_id(1), new_version(1, 10, at=NOW + 2))
            tx.insert_version(key_id(1), new_version(1, 2, at=NOW + 1))
            tx.end_version(key_id(1), 1, NOW + 5)
        with store.reading(NOW) as view:
            one, two = view.page(KeyQuery()).keys
            assert [(v.number, v.sha256, v.created_at, v.expires_at) for v in one.versions] == [
                (1, sha256(1), NOW, NOW + 5),
                (2, sha256(1, 2), NOW + 1, None),
                (10, sha256(1, 10), NOW + 2, None),
            ]
            assert [v.number for v in two.versions] == [1]
            found = view.key_of_version(sha256(1, 10))
            assert found is not None
            assert (found[0].id, found[1]) == (key_id(1), 10)
            assert view.hashes_in_use([sha256(1, 2), sha256(2), sha256(3)]) == {sha256(1, 2), sha256(2)}

    def test_a_versions_end_can_be_cleared_and_a_version_forgotten(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
            tx.insert_version(key_id(1), new_version(1, 2))
            tx.end_version(key_id(1), 1, NOW + 5)
            tx.end_version(key_id(1), 1, None)
            tx.delete_version(key_id(1), 2)
        with store.reading(NOW) as view:
            key = view.key(key_id(1))
            assert key is not None
            assert [(v.number, v.expires_at) for v in key.versions] == [(1, None)]
            assert view.key_of_version(sha256(1, 2)) is None

    def test_traits_are_replaced_as_a_whole(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1, tags={"a": "1"}, rpm=5, expires_at=NOW + 5), new_key(2)])
            tx.set_traits(key_id(1), KeyTraits("other", {"b": "2"}, (Scope.ADMIN,)))
        with store.reading(NOW) as view:
            one, two = view.key(key_id(1)), view.key(key_id(2))
            assert one is not None
            assert two is not None
            assert one.traits == KeyTraits("other", {"b": "2"}, (Scope.ADMIN,))
            assert two.traits == KeyTraits("key-2")

    def test_a_revocation_has_its_time_and_reason(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1), new_key(2), new_key(3)])
            tx.set_revoked([key_id(1), key_id(2)], NOW + 3, "laptop stolen")
        with store.reading(NOW) as view:
            keys = view.page(KeyQuery()).keys
            assert [(key.status, key.revoked_at, key.revoke_reason) for key in keys] == [
                (KeyStatus.REVOKED, NOW + 3, "laptop stolen"),
                (KeyStatus.REVOKED, NOW + 3, "laptop stolen"),
                (KeyStatus.ACTIVE, None, None),
            ]
            assert view.names_in_use(["key-1", "key-3"]) == {"key-3"}

    def test_a_tombstone_stands_for_one_secret_of_one_version_of_one_id(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.add_tombstone(key_id(1), 1, sha256(1), NOW)
            tx.add_tombstone(key_id(1), 1, sha256(1), NOW + 1)
        with store.reading(NOW) as view:
            assert view.is_given_up(key_id(1), 1, sha256(1))
            assert not view.is_given_up(key_id(1), 2, sha256(1))
            assert not view.is_given_up(key_id(1), 1, sha256(2))
            assert not view.is_given_up(key_id(2), 1, sha256(1))
            assert view.ids_given_up([key_id(1), key_id(2)]) == {key_id(1)}
            assert view.ids_in_use([key_id(1), key_id(2)]) == set()

    def test_the_trail_is_read_from_its_end(self, store: Store) -> None:
        entries = [
            TrailEntry(NOW + n, f"ü{n}@host", "key.changed", key_id(n), {"name": ["a", "b\n"], "n": n})
            for n in range(3)
        ]
        with store.writing(NOW) as tx:
            tx.add_trail(entries)
            tx.add_trail([])
        with store.reading(NOW) as view:
            assert view.trail(limit=10) == entries[::-1]
            assert view.trail(limit=1) == entries[:1:-1]

    @pytest.mark.parametrize("sort", list(SortField))
    def test_a_page_ends_where_it_is_told_to_and_says_that_there_is_more(self, store: Store, sort: SortField) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(n) for n in range(4)])
        with store.reading(NOW) as view:
            page = view.page(KeyQuery(sort=sort, limit=3))
            assert [key.id for key in page.keys] == [key_id(n) for n in range(3)]
            assert page.has_more
            rest = view.page(KeyQuery(sort=sort, limit=3, after=page.keys[-1].id))
            assert [key.id for key in rest.keys] == [key_id(3)]
            assert not rest.has_more
            exactly = view.page(KeyQuery(sort=sort, limit=4))
            assert len(exactly.keys) == 4
            assert not exactly.has_more

    def test_a_page_behind_a_key_that_nobody_knows_is_an_error(self, store: Store) -> None:
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        with store.reading(NOW) as view, pytest.raises(KeyNotFoundError):
            view.page(KeyQuery(after=key_id(2)))

    def test_what_is_asked_is_never_taken_for_code(self, store: Store) -> None:
        evil = "'; DROP TABLE keys; --"
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1, tags={"a": evil})])
        with store.reading(NOW) as view:
            assert view.keys_named(evil) == []
            assert view.key(KeyId(evil)) is None
            assert view.page(KeyQuery(name_glob=evil)).keys == ()
            assert len(view.page(KeyQuery(tags={"a": evil})).keys) == 1
            assert view.page(KeyQuery(tags={evil: evil})).keys == ()
            assert view.key_of_version(Fingerprint(evil)) is None

    def test_many_at_once_are_one_question_each(self, store: Store) -> None:
        # More than any backend's limit of parameters in one statement.
        many = range(40_000)
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
            assert tx.names_in_use([f"key-{n}" for n in many]) == {"key-1"}
            assert tx.hashes_in_use([Fingerprint(f"{n:064x}") for n in many] + [sha256(1)]) == {sha256(1)}
            assert tx.ids_in_use([key_id(n) for n in many]) == {key_id(1)}

    def test_a_sound_store_has_nothing_wrong_with_it(self, store: Store) -> None:
        assert store.check() == []
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        assert store.check() == []

    def test_asking_whether_it_can_be_written_writes_nothing(self, store: Store) -> None:
        store.require_writable()
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
        store.require_writable()
        with store.reading(NOW) as view:
            assert [key.id for key in view.page(KeyQuery()).keys] == [key_id(1)]
        with store.writing(NOW) as tx:
            tx.insert_keys([new_key(2)])

    def test_accounts_do_not_see_each_other(self, store_of: StoreOf) -> None:
        ours, theirs = store_of(OURS), store_of(THEIRS)
        with ours.writing(NOW) as tx:
            tx.insert_keys([new_key(1, "shared", tags={"a": "1"})])
            tx.add_trail([TrailEntry(NOW, "me", "key.created", key_id(1), {})])
        with theirs.reading(NOW) as view:
            assert view.key(key_id(1)) is None
            assert view.keys_named("shared") == []
            assert view.keys_by_id_prefix(key_id(1), 10) == []
            assert view.page(KeyQuery()).keys == ()
            assert view.page(KeyQuery(tags={"a": "1"}, name_glob="*")).keys == ()
            assert view.tally(KeyQuery()) == {}
            assert view.names_in_use(["shared"]) == set()
            assert view.trail(limit=10) == []
            with pytest.raises(KeyNotFoundError):
                view.page(KeyQuery(after=key_id(1)))

    def test_ids_hashes_and_tombstones_are_known_across_accounts(self, store_of: StoreOf) -> None:
        ours, theirs = store_of(OURS), store_of(THEIRS)
        with ours.writing(NOW) as tx:
            tx.insert_keys([new_key(1)])
            tx.add_tombstone(key_id(2), 1, sha256(2), NOW)
        with theirs.reading(NOW) as view:
            assert view.ids_in_use([key_id(1)]) == {key_id(1)}
            assert view.hashes_in_use([sha256(1)]) == {sha256(1)}
            assert view.is_given_up(key_id(2), 1, sha256(2))
            found = view.key_of_version(sha256(1))
            assert found is not None
            assert found[0].id == key_id(1)
