"""What every transport answers to questions about many keys: order, pages, filters, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import Key, KeyId, KeyQuery, KeyStatus, KeyTraits, NewKey, NewVersion, SortField
from routic_cli.domain.secret import fingerprint_of
from routic_cli.transport.interface import Transport
from routic_cli.transport.paging import all_keys
from tests.contract.transport_fixtures import Clock, TransportFixtures, TransportOf
from tests.support.keys import HINT, NOW, key_id, new_key

# Names are unique among the living, everything else is drawn from few values, so that there are ties.
_NAMES = ("B", "a", "a.b", "aa", "b", "é", "prod-1", "prod-10", "prod-2", "z", "Ω", "数据")
_EXAMPLES = count()


@dataclass(frozen=True)
class Drawn:
    """A key as a property draws it."""

    name: str
    created_at: int
    expires_at: int | None
    tags: dict[str, str]
    revoked: bool


_drawn = st.builds(
    Drawn,
    name=st.sampled_from(_NAMES),
    created_at=st.sampled_from([NOW - 20, NOW - 10, NOW]),
    expires_at=st.sampled_from([None, NOW - 5, NOW, NOW + 5, NOW + 10]),
    tags=st.dictionaries(st.sampled_from(["env", "team"]), st.sampled_from(["", "prod", "dev"])),
    revoked=st.booleans(),
)

_orders = st.builds(KeyQuery, sort=st.sampled_from(SortField), descending=st.booleans(), limit=st.integers(1, 4))

# One condition in two is none: all of them at once would leave nothing to put in order.
_conditions = st.fixed_dictionaries(
    {
        "status": st.none() | st.sampled_from(KeyStatus),
        "name_glob": st.none() | st.sampled_from(["*", "a*", "prod-?", "prod-[12]", "*数*", "[", "A*"]),
        "tags": st.just({}) | st.dictionaries(st.sampled_from(["env", "team"]), st.sampled_from(["", "prod"])),
        "unused_since": st.none() | st.sampled_from([NOW - 10, NOW + 1]),
        "expires_before": st.none() | st.sampled_from([NOW, NOW + 6]),
    }
)
_queries = st.builds(lambda order, conditions: replace(order, **conditions), _orders, _conditions)
_lists = st.lists(_drawn, min_size=2, max_size=12, unique_by=lambda each: each.name)

_property = settings(
    max_examples=60,
    # Each example has an account of its own, so that a store may live longer than one.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


def populate(transport: Transport, drawn: Sequence[Drawn]) -> list[Key]:
    """Register what was drawn, in its order; the keys as the transport shows them."""
    first = 1000 * (next(_EXAMPLES) + 1)
    news = [
        NewKey(
            key_id(n),
            KeyTraits(each.name, each.tags, expires_at=each.expires_at),
            NewVersion(1, fingerprint_of(f"listed {n}"), HINT, each.created_at),
        )
        for n, each in enumerate(drawn, start=first)
    ]
    assert all(result.created for result in transport.register_many(news))
    transport.revoke([new.id for new, each in zip(news, drawn, strict=True) if each.revoked], None)
    return [transport.find(new.id) for new in news]


def matches(key: Key, query: KeyQuery) -> bool:
    expires_at = key.traits.expires_at
    return all(
        (
            query.status in {None, key.status},
            query.name_glob is None or fnmatchcase(key.name, query.name_glob),
            query.tags.items() <= dict(key.traits.tags).items(),
            query.unused_since is None or key.created_at < query.unused_since,
            query.expires_before is None or (expires_at is not None and expires_at < query.expires_before),
        )
    )


_SORT: dict[SortField, Callable[[Key], str | float]] = {
    SortField.NAME: lambda key: key.name,
    SortField.CREATED_AT: lambda key: key.created_at,
    SortField.EXPIRES_AT: lambda key: float("inf") if key.traits.expires_at is None else key.traits.expires_at,
    SortField.LAST_USED_AT: lambda key: key.last_used_at or 0,
    SortField.STATUS: lambda key: key.status.value,
}


def expected(keys: Sequence[Key], query: KeyQuery) -> list[KeyId]:
    """The ids that answer a query, in its order; `keys` are in the order of their registration."""
    found = [(_SORT[query.sort](key), place, key.id) for place, key in enumerate(keys) if matches(key, query)]
    return [key_id for _, _, key_id in sorted(found, reverse=query.descending)]


class ListingContract(TransportFixtures):
    """The promises of `page` and `tally`."""

    @_property
    @given(drawn=_lists, query=_orders | _queries)
    def test_pages_never_overlap_nor_skip_whatever_the_order(
        self, transport_of: TransportOf, drawn: list[Drawn], query: KeyQuery
    ) -> None:
        transport = transport_of(f"account-{next(_EXAMPLES)}")
        keys = populate(transport, drawn)

        pages, after = [], None
        while True:
            page = transport.page(replace(query, after=after))
            pages.append(page)
            if not page.has_more:
                break
            assert len(page.keys) == query.limit
            after = page.keys[-1].id

        assert [key.id for page in pages for key in page.keys] == expected(keys, query)
        assert all(page.keys for page in pages[1:])
        assert [key.id for key in all_keys(transport, query, None)[0]] == expected(keys, query)
        some, has_more = all_keys(transport, query, 2)
        assert [key.id for key in some] == expected(keys, query)[:2]
        assert has_more is (len(expected(keys, query)) > 2)

    @_property
    @given(drawn=_lists, query=_queries)
    def test_a_tally_counts_every_status_whatever_the_query_says_of_it(
        self, transport_of: TransportOf, drawn: list[Drawn], query: KeyQuery
    ) -> None:
        transport = transport_of(f"account-{next(_EXAMPLES)}")
        keys = populate(transport, drawn)

        assert transport.tally(query) == Counter(
            key.status for key in keys if matches(key, replace(query, status=None))
        )

    def test_a_page_goes_on_behind_a_key_that_has_changed_meanwhile(self, transport: Transport) -> None:
        for n in range(4):
            transport.register(new_key(n))
        first = transport.page(KeyQuery(status=KeyStatus.ACTIVE, limit=2))
        transport.revoke([first.keys[-1].id], None)

        rest = transport.page(KeyQuery(status=KeyStatus.ACTIVE, limit=2, after=first.keys[-1].id))
        assert [key.id for key in rest.keys] == [key_id(2), key_id(3)]

    def test_statuses_move_with_the_clock(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1, expires_at=NOW + 5))
        assert transport.tally(KeyQuery()) == {KeyStatus.ACTIVE: 1}
        clock.forward(5)
        assert transport.tally(KeyQuery()) == {KeyStatus.EXPIRED: 1}
        assert transport.page(KeyQuery(status=KeyStatus.ACTIVE)).keys == ()

    def test_every_version_comes_with_its_key(self, transport: Transport) -> None:
        for n in range(3):
            transport.register(new_key(n))
            transport.add_version(key_id(n), NewVersion(2, fingerprint_of(f"second of {n}"), HINT, NOW))

        keys = transport.page(KeyQuery()).keys
        assert [[v.number for v in key.versions] for key in keys] == [[1, 2]] * 3
        assert [key.current.sha256 for key in keys] == [fingerprint_of(f"second of {n}") for n in range(3)]

    def test_a_glob_is_no_sql_and_has_its_limit(self, transport: Transport) -> None:
        transport.register(new_key(1, "a_b"))
        transport.register(new_key(2, "a-b"))

        assert [key.name for key in transport.page(KeyQuery(name_glob="a_b")).keys] == ["a_b"]
        assert transport.page(KeyQuery(name_glob="%")).keys == ()
        # One that a careless matcher would take for ever over.
        transport.register(new_key(3, "a" * 64))
        assert transport.page(KeyQuery(name_glob="*a" * 40 + "*b")).keys == ()

    @pytest.mark.parametrize(
        "query", [KeyQuery(name_glob="\udc80"), KeyQuery(tags={"a": "\ud800"}), KeyQuery(name_glob="*" * 100_000)]
    )
    def test_what_no_store_could_be_asked_is_a_wrong_request(self, transport: Transport, query: KeyQuery) -> None:
        transport.register(new_key(1))
        with pytest.raises(InvalidRequestError):
            transport.page(query)
        with pytest.raises(InvalidRequestError):
            transport.tally(query)
