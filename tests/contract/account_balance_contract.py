"""What every transport does of an account's balance: set it, take costs off it, count its keys."""

from __future__ import annotations

import pytest

from routic_cli.domain.accounts import MOST, AccountChanges
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import KeyStatus
from routic_cli.domain.usage import BILLIONTHS, UsageEvent
from routic_cli.transport.interface import Transport
from tests.contract.transport_fixtures import OURS, THEIRS, Actions, Clock, TransportFixtures, TransportOf
from tests.support.keys import NOW, new_key, sha256

DAY = 86400


def costing(cost: int, n: int, *, at: int = NOW, key: int = 1) -> UsageEvent:
    """The n-th call, which costs so many billionths."""
    call = UsageEvent(at, "allowed", "POST", "/v1/models", 200, "192.0.2.7", "curl/8.5.0", "r")
    return call._replace(sha256=sha256(key), identity=n, cost=cost)


class AccountBalanceContract(TransportFixtures):
    """The promises of `account` and `change_account`."""

    def test_an_account_that_nothing_was_set_of(self, transport: Transport) -> None:
        account = transport.account()
        assert (account.name, account.currency, account.balance) == (OURS, "USD", None)
        assert (account.spent, account.set_at, dict(account.keys)) == (0, None, {})

    def test_costs_come_off_the_balance_exactly(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.usage.append([costing(5 * BILLIONTHS, 1)])
        transport.change_account(AccountChanges(balance=25 * BILLIONTHS, currency="EUR"))
        transport.usage.append([costing(1, 2), costing(300_000_000, 3)])
        account = transport.account()
        assert (account.currency, account.balance) == ("EUR", 24_699_999_999)
        assert account.spent == 5_300_000_001

    def test_a_call_that_comes_twice_costs_once_and_pruning_gives_nothing_back(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.change_account(AccountChanges(balance=BILLIONTHS))
        for _ in range(2):
            transport.usage.append([costing(400_000_000, 1, at=NOW - 30 * DAY)])
        assert transport.usage.prune(NOW) == 1
        account = transport.account()
        assert (account.balance, account.spent) == (600_000_000, 400_000_000)

    def test_a_balance_falls_below_zero_and_keeps_no_key_out(self, transport: Transport) -> None:
        transport.register(new_key(1))
        transport.change_account(AccountChanges(balance=1))
        transport.usage.append([costing(5, 1)])
        assert transport.account().balance == -4
        assert transport.verify(sha256(1)).status.value == "active"

    def test_a_balance_is_set_anew_cleared_and_kept(self, transport: Transport, clock: Clock) -> None:
        transport.register(new_key(1))
        first = transport.change_account(AccountChanges(balance=7))
        transport.usage.append([costing(5, 1)])
        clock.forward(60)
        again = transport.change_account(AccountChanges(balance=7))
        kept = transport.change_account(AccountChanges(currency="JPY"))
        cleared = transport.change_account(AccountChanges(balance=None))
        assert [(each.balance, each.set_at) for each in (first, again, kept, cleared)] == [
            (7, NOW), (7, NOW + 60), (7, NOW + 60), (None, None),
        ]  # fmt: skip
        assert (cleared.currency, cleared.spent) == ("JPY", 5)

    def test_what_changes_is_in_the_trail(self, transport: Transport, actions: Actions) -> None:
        transport.change_account(AccountChanges(balance=25 * BILLIONTHS))
        transport.change_account(AccountChanges(currency="USD"))
        assert actions() == ["account.changed"]
        [entry] = transport.trail(limit=10)
        assert (entry.key_id, entry.detail) == (None, {"balance": [None, "25.00"]})

    @pytest.mark.parametrize("changes", [AccountChanges(balance=MOST), AccountChanges(balance=-MOST)])
    def test_the_largest_amounts_come_back_as_they_were(self, transport: Transport, changes: AccountChanges) -> None:
        assert transport.change_account(changes).balance == transport.account().balance == changes.balance

    @pytest.mark.parametrize(
        "changes",
        [
            AccountChanges(balance=MOST + 1),
            AccountChanges(balance=-MOST - 1),
            AccountChanges(currency="eur"),
            AccountChanges(currency=""),
            AccountChanges(currency="EURO"),
        ],
    )
    def test_a_wrong_amount_or_currency_changes_nothing(self, transport: Transport, changes: AccountChanges) -> None:
        before = transport.change_account(AccountChanges(balance=5, currency="EUR"))
        with pytest.raises(InvalidRequestError):
            transport.change_account(changes)
        assert transport.account() == before

    def test_each_account_has_its_own_balance_costs_and_keys(self, transport_of: TransportOf) -> None:
        ours, theirs = transport_of(OURS), transport_of(THEIRS)
        ours.register(new_key(1))
        theirs.register(new_key(2))
        theirs.register(new_key(3))
        theirs.revoke([new_key(3).id], None)
        ours.change_account(AccountChanges(balance=10))
        theirs.change_account(AccountChanges(balance=100))
        ours.usage.append([costing(1, 1)])
        theirs.usage.append([costing(20, 2, key=2)])
        assert (ours.account().balance, theirs.account().balance) == (9, 80)
        assert dict(ours.account().keys) == {KeyStatus.ACTIVE: 1}
        assert dict(theirs.account().keys) == {KeyStatus.ACTIVE: 1, KeyStatus.REVOKED: 1}
