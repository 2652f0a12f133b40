"""What every transport tells of the last use of keys, which the usage log beside the store knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from routic_cli.domain.keys import Key, KeyChanges, KeyQuery, SortField
from routic_cli.domain.usage import UsageEvent
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import OURS, THEIRS, TransportFixtures, TransportOf
from tests.support.keys import NOW, key_id, new_key, new_version, sha256

DAY = 86400


def used(n: int, at: int, *, version: int = 1, outcome: str = "allowed") -> UsageEvent:
    """A call with a version of a numbered key."""
    status = 200 if outcome == "allowed" else 401
    call = UsageEvent(at, outcome, "POST", "/v1/models", status, "192.0.2.7", "curl/8.5.0", "r")
    return call._replace(sha256=sha256(n, version), identity=n)


def last_uses(keys: Sequence[Key]) -> dict[str, int | None]:
    return {key.name: key.last_used_at for key in keys}


class LastUseContract(TransportFixtures):
    """The promises of `last_used_at`, of `usage_since`, and of what is asked of them."""

    def test_without_a_log_nothing_is_known(self, transport: Transport) -> None:
        transport.register(new_key(1))
        key = transport.find("key-1")
        assert (key.last_used_at, key.usage_since, key.current.last_used_at) == (None, None, None)

    def test_whoever_shows_a_key_shows_its_last_use(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.add_version(key_id(1), new_version(1, 2))
        transport.usage.append([used(1, NOW + 5), used(1, NOW + 9), used(1, NOW + 7, version=2)])

        shown = [
            transport.find("key-1"),
            *transport.page(KeyQuery()).keys,
            transport.change(key_id(1), KeyChanges(rpm=5)),
            transport.change(key_id(1), KeyChanges(rpm=5)),
            transport.add_version(key_id(1), new_version(1, 2)),
            transport.add_version(key_id(1), new_version(1, 3)),
            transport.end_version(key_id(1), 2, NOW + DAY),
            transport.verify(sha256(1)).key,
            *(each.key for each in transport.revoke([key_id(1)], None)),
        ]
        for key in shown:
            assert key is not None
            assert (key.last_used_at, key.usage_since) == (NOW + 9, NOW + 5)
            assert [v.last_used_at for v in key.versions] == [NOW + 9, NOW + 7, None][: len(key.versions)]

    def test_a_call_that_was_refused_is_no_use(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.usage.append([used(1, NOW + 5, outcome="expired"), used(1, NOW + 6, outcome="revoked")])
        key = transport.find("key-1")
        assert (key.last_used_at, key.usage_since) == (None, NOW + 5)

    def test_a_rate_limited_call_is_a_use(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.usage.append([used(1, NOW + 5, outcome="rate_limited")])
        assert transport.find("key-1").last_used_at == NOW + 5

    def test_unused_since_are_the_keys_that_are_older_and_were_not_used(self, transport: Transport) -> None:
        for n, name in enumerate(("never", "long-ago", "just-before", "at", "after"), start=1):
            transport.register(new_key(n, name, at=NOW - 50 * DAY))
        transport.register(new_key(6, "young", at=NOW - 30 * DAY))
        since = NOW - 30 * DAY
        transport.usage.append(
            [used(2, NOW - 40 * DAY), used(3, since - 1), used(4, since), used(5, since + 1), used(5, NOW - 45 * DAY)]
        )
        query = KeyQuery(unused_since=since)
        assert [key.name for key in transport.page(query).keys] == ["just-before", "long-ago", "never"]
        assert sum(transport.tally(query).values()) == 3

    def test_pages_in_the_order_of_last_use(self, transport: Transport) -> None:
        for n in range(1, 8):
            transport.register(new_key(n))
        transport.usage.append([used(n, NOW + at) for n, at in ((1, 3), (3, 1), (5, 2), (6, 2))])

        for descending in (False, True):
            query = KeyQuery(sort=SortField.LAST_USED_AT, descending=descending, limit=2)
            keys: list[Key] = []
            while True:
                page = transport.page(replace(query, after=keys[-1].id if keys else None))
                keys += page.keys
                if not page.has_more:
                    break
            names = [key.name for key in keys]
            expected = ["key-2", "key-4", "key-7", "key-3", "key-5", "key-6", "key-1"]
            assert names == (expected[::-1] if descending else expected)
            assert last_uses(keys)["key-1"] == NOW + 3

    def test_pruning_forgets_no_last_use(self, transport: Transport) -> None:
        transport.register(new_key(1, at=NOW - 100 * DAY))
        transport.usage.append([used(1, NOW - 90 * DAY)])
        transport.usage.prune(NOW)
        key = transport.find("key-1")
        assert (key.last_used_at, key.usage_since) == (NOW - 90 * DAY, NOW - 90 * DAY)

    def test_what_another_account_does_with_its_keys_shows_on_none_of_ours(self, transport_of: TransportOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        ours.register(new_key(1))
        theirs.register(new_key(2))
        theirs.usage.append([used(2, NOW + 5), used(1, NOW + 6)])
        assert ours.find("key-1").last_used_at is None
        assert theirs.find("key-2").last_used_at == NOW + 5
