"""`account show` and `account set`, and several accounts in one store, each profile bound to one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from routic_cli.domain.operations import Operation
from routic_cli.paths import usage_log_beside
from routic_cli.store.state import StateStore
from tests.cli.conftest import Stocked
from tests.support.gateways import routic_serve
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal
from tests.support.usage_events import call_of, record

NOW = int(time.time())
PROD: Final[Mapping[str, str]] = {"ROUTIC_ACCOUNT": "production"}


def spend(stocked: Stocked, billionths: int, *, n: int = 1) -> Path:
    return record(stocked.sandbox.key_store, call_of(stocked.key_id, NOW, cost=billionths, identity=n))


def balance(sandbox: Sandbox, **options: Mapping[str, str]) -> str | None:
    found: str | None = sandbox.ok("account", "show", "--json", **options).data["balance"]
    return found


def test_an_account_without_a_balance_shows_what_it_spent_and_its_keys(stocked: Stocked) -> None:
    stocked.sandbox.ok("keys", "create", "--name", "old")
    stocked.sandbox.ok("keys", "revoke", "old", "--yes")
    spend(stocked, 1_250_000_001)
    assert stocked.sandbox.ok("account", "show", "--json").data == {
        "object": "account",
        "name": "default",
        "currency": "USD",
        "balance": None,
        "balance_set_at": None,
        "spent": "1.250000001",
        "keys": {"active": 1, "expired": 0, "revoked": 1},
    }
    lines = stocked.sandbox.ok("account", "show").out.splitlines()
    assert lines == [
        "name:\tdefault", "balance:\tnot set", "spent:\t1.250000001 USD", "keys:\t1 active, 0 expired, 1 revoked",
    ]  # fmt: skip


def test_costs_come_off_the_balance_that_was_set(stocked: Stocked) -> None:
    spend(stocked, 10_000_000_000)
    done = stocked.sandbox.ok("account", "set", "--balance", "25.00", "--currency", "eur")
    assert "The account 'default' is changed" in done.err
    assert "balance:\t25.00 EUR  set just now" in done.out
    spend(stocked, 1, n=2)
    spend(stocked, 100_000_000, n=3)
    assert balance(stocked.sandbox) == "24.899999999"
    with Terminal(stocked.sandbox, "account", "show", columns=100) as terminal:
        assert "24.899999999 EUR" in terminal.finish().out


def test_a_balance_below_zero_is_shown_as_it_is_and_lets_the_keys_in(stocked: Stocked) -> None:
    stocked.sandbox.ok("account", "set", "--balance", "0.5")
    spend(stocked, 750_000_000)
    assert balance(stocked.sandbox) == "-0.25"
    assert stocked.sandbox.run("keys", "verify", stdin=stocked.secret).code == 0


def test_pruning_gives_no_money_back(stocked: Stocked) -> None:
    stocked.sandbox.ok("account", "set", "--balance", "1")
    record(stocked.sandbox.key_store, call_of(stocked.key_id, NOW - 90 * 86400, cost=400_000_000, identity=1))
    stocked.sandbox.ok("usage", "prune", "--older-than", "30d", "--yes")
    assert balance(stocked.sandbox) == "0.60"


def test_a_balance_can_be_negative_replaced_and_removed(stocked: Stocked) -> None:
    for given, shown in (("-5", "-5.00"), ("9000000000", "9000000000.00"), ("0.000000001", "0.000000001")):
        stocked.sandbox.ok("account", "set", "--balance", given)
        assert balance(stocked.sandbox) == shown
    stocked.sandbox.ok("account", "set", "--balance", "none")
    assert balance(stocked.sandbox) is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--balance", ""],
        ["--balance", "25,00"],
        ["--balance", "1e3"],
        ["--balance", "nan"],
        ["--balance", "0.1234567891"],
        ["--balance", "9000000001"],
        ["--balance", "٢٥"],
        ["--balance", "25 EUR"],
        ["--currency", "euro"],
        ["--currency", "€"],
        ["--balance", "5", "--currency", "12"],
        ["--balance", "5", "--fields", "colour"],
    ],
    ids=" ".join,
)
def test_what_is_no_amount_or_currency_changes_nothing(stocked: Stocked, arguments: list[str]) -> None:
    stocked.sandbox.ok("account", "set", "--balance", "7", "--currency", "CHF")
    before = stocked.sandbox.key_store.read_bytes()
    done = stocked.sandbox.run("account", "set", *arguments)
    assert (done.code, done.out) == (2, "")
    assert stocked.sandbox.key_store.read_bytes() == before


def test_a_balance_is_not_guessed_when_the_costs_cannot_be_read(stocked: Stocked) -> None:
    path = spend(stocked, 1)
    path.write_bytes(path.read_bytes()[:5000])
    for command in (["show"], ["set", "--balance", "5"]):
        done = stocked.sandbox.run("account", *command)
        assert (done.code, done.out) == (10, "")
        assert "usage log" in done.err


# Several accounts in one store


def test_accounts_of_one_store_share_no_key_no_name_and_no_balance(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    made = sandbox.ok("keys", "create", "--name", "prod", "--json", env=PROD).data
    assert made["id"] != stocked.key_id
    assert [key["id"] for key in sandbox.ok("keys", "list", "--json").data["data"]] == [stocked.key_id]
    assert [key["id"] for key in sandbox.ok("keys", "list", "--json", env=PROD).data["data"]] == [made["id"]]
    assert sandbox.run("keys", "show", made["id"]).code == 3
    assert sandbox.run("keys", "revoke", stocked.key_id, "--yes", env=PROD).code == 3

    sandbox.ok("account", "set", "--balance", "100", env=PROD)
    spend(stocked, 5_000_000_000)
    assert (balance(sandbox), balance(sandbox, env=PROD)) == (None, "100.00")
    shown = sandbox.ok("account", "show", "--fields", "name,spent", env=PROD).data
    assert shown == {"name": "production", "spent": "0.00"}


def test_a_profile_is_bound_to_an_account_and_the_variable_outweighs_it(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    sandbox.ok("--profile", "live", "config", "set", "store", sandbox.key_store)
    sandbox.ok("--profile", "live", "config", "set", "account", "production")

    def shown(*flags: str, env: Mapping[str, str] | None = None) -> tuple[str, str]:
        settings = sandbox.ok(*flags, "config", "list", "--json", env=env).data["data"]
        found = next(each for each in settings if each["name"] == "account")
        return found["value"], found["source"]

    assert shown() == ("default", "default")
    assert shown("--profile", "live") == ("production", "profile live")
    assert shown("--profile", "live", env={"ROUTIC_ACCOUNT": "dev"}) == ("dev", "ROUTIC_ACCOUNT")
    assert sandbox.ok("--profile", "live", "config", "get", "account").out == "production\n"
    assert sandbox.ok("--profile", "live", "account", "show", "--json").data["name"] == "production"


@pytest.mark.parametrize("name", ["-prod", "a b", "key_7", "x" * 65, "a\tb"])
def test_what_can_name_no_key_can_name_no_account(stocked: Stocked, name: str) -> None:
    done = stocked.sandbox.run("keys", "list", env={"ROUTIC_ACCOUNT": name})
    assert (done.code, done.out) == (2, "")
    assert "ROUTIC_ACCOUNT" in done.err
    assert stocked.sandbox.run("config", "set", "account", name).code == 2


def test_an_account_without_keys_says_who_named_it(stocked: Stocked) -> None:
    done = stocked.sandbox.ok("keys", "list", env={"ROUTIC_ACCOUNT": "prodution"})
    assert "No keys yet in the account 'prodution', which ROUTIC_ACCOUNT names" in done.err


def test_places_and_exports_are_the_accounts_own(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    sandbox.ok("keys", "create", "--name", "web", "--env-file", ".env", env=PROD)
    assert sandbox.ok("export", "web", "--show", env=PROD).out
    assert len(sandbox.ok("keys", "show", "web", "--json", env=PROD).data["placements"]) == 1
    assert sandbox.run("export", "web", "--show").code == 3
    sandbox.ok("rotate", "web", env=PROD)
    assert sandbox.ok("keys", "show", "web", "--json", env=PROD).data["version"] == 2


def test_serve_serves_all_accounts_each_credential_its_own(stocked: Stocked, tmp_path: Path) -> None:
    server = stocked.sandbox
    ours = server.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    theirs = server.ok("keys", "create", "--name", "ops", "--scope", "admin", env=PROD).secret
    client = Sandbox(tmp_path / "client")
    with routic_serve(server) as serving:
        for token, name in ((ours, "default"), (theirs, "production")):
            client.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
            assert client.ok("account", "show", "--json").data["name"] == name
            assert client.ok("account", "show", "--json", env={"ROUTIC_ACCOUNT": name}).data["name"] == name
            client.ok("account", "set", "--balance", "3.50")
            assert balance(client) == "3.50"
            client.ok("keys", "create", "--name", "same-name")
        refused = client.run("keys", "create", "--name", "astray", env={"ROUTIC_ACCOUNT": "default"})
        listed = [key["name"] for key in client.ok("keys", "list", "--json").data["data"]]
        settings = client.ok("config", "list").out.splitlines()
    assert (refused.code, refused.out) == (4, "")
    assert "production" in refused.err
    assert listed == ["ops", "same-name"]
    assert "account\t\tthe credential's" in settings
    assert not usage_log_beside(client.key_store).exists()


def test_what_a_crash_left_open_is_tidied_up_in_the_account_that_knows_the_key(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    store = sandbox.ok("config", "get", "store").out.strip()
    key = sandbox.ok("keys", "create", "--name", "web", "--json", env=PROD).data
    sha256 = key["versions"][0]["sha256"]
    cut_short = Operation("op_1", f"{store}#production", "create", key["id"], 1, sha256, (), NOW)
    with closing(StateStore(sandbox.state_file)) as state:
        state.add_operation(cut_short)

    def status() -> str:
        found: str = sandbox.ok("keys", "show", key["id"], "--json", env=PROD).data["status"]
        return found

    assert sandbox.ok("keys", "update", "prod", "--rpm", "5").err.count("Tidied up") == 0
    assert status() == "active"
    assert "ROUTIC_ACCOUNT=production routic doctor --fix" in sandbox.run("doctor").out + sandbox.run("doctor").err
    assert "Tidied up" in sandbox.ok("keys", "create", "--name", "next", env=PROD).err
    assert status() == "revoked"


def test_a_login_with_a_credential_of_another_account_than_the_profiles_is_refused(
    stocked: Stocked, tmp_path: Path
) -> None:
    token = stocked.sandbox.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    client = Sandbox(tmp_path / "client")
    with routic_serve(stocked.sandbox) as serving:
        client.ok("config", "set", "store", serving.url)
        client.ok("config", "set", "account", "production")
        done = client.run("auth", "status", env={"ROUTIC_TOKEN": token})
    assert done.code == 4
    assert "production" in done.err + done.out
