"""`keys verify` for triage: what a pasted text is, whose, and what became of it."""

from __future__ import annotations

import pytest

from routic_cli.domain.minting import mint_secret
from tests.cli.conftest import Stocked
from tests.support.sandbox import Sandbox


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ('"KEY"', "something stands around it (quotation marks)"),
        ("ROUTIC_API_KEY=KEY", "something stands before it"),
        ("KEY,", "something stands behind it"),
        ("https://api.routic.ai/v1?key=KEY&x=1", "something stands around it"),
        ("KEY-CUT", "not copied completely"),
        ("KEY-MISTYPED", "check characters do not match"),
        ("pk-0123456789", "does not begin with sk-"),
    ],
)
@pytest.mark.parametrize("offline", [True, False])
def test_what_is_wrong_with_a_pasted_text_is_said_without_repeating_it(
    stocked: Stocked, pasted: str, why: str, offline: bool
) -> None:
    secret = stocked.secret
    swapped = secret[:10] + secret[10:12][::-1] + secret[12:]
    mistyped = swapped if swapped != secret else secret[:-1] + ("a" if secret[-1] != "a" else "b")
    text = pasted.replace("KEY-CUT", secret[:30]).replace("KEY-MISTYPED", mistyped)
    text = text.replace("ROUTIC_API_KEY", "NAME").replace("KEY", secret).replace("NAME", "ROUTIC_API_KEY")
    done = stocked.sandbox.run("keys", "verify", "--json", *(["--offline"] if offline else []), stdin=text)

    assert (done.code, done.data["status"]) == (3, "malformed")
    assert why in done.data["detail"]
    assert secret not in done.out + done.err


def test_offline_needs_no_store_and_makes_none(sandbox: Sandbox) -> None:
    before = sandbox.snapshot()
    assert sandbox.run("keys", "verify", "--offline", stdin="sk-" + "0" * 45).code == 3
    assert sandbox.snapshot() == before


def test_a_key_that_is_being_replaced_says_by_which_version_and_until_when(stocked: Stocked) -> None:
    sandbox = stocked.sandbox
    sandbox.ok("rotate", "prod", "--grace", "1h")
    done = sandbox.ok("keys", "verify", "--json", stdin=stocked.secret)
    assert done.data["status"] == "active"
    assert "version 2 takes its place; this one ends at 20" in done.data["detail"]

    sandbox.ok("rotate", "prod", "--finish", "--force", "--yes")
    done = sandbox.run("keys", "verify", "--json", stdin=stocked.secret)
    assert (done.code, done.data["status"]) == (9, "expired")
    assert done.data["detail"].startswith("version 1 ended at 20")
    assert done.data["detail"].endswith("version 2 took its place")


def test_a_revoked_key_says_when_and_why(stocked: Stocked) -> None:
    stocked.sandbox.ok("keys", "revoke", "prod", "--yes", "--reason", "in a public gist")
    done = stocked.sandbox.run("keys", "verify", stdin=stocked.secret)
    assert done.code == 9
    assert "reason:\tin a public gist" in done.out
    assert "revoked:\tjust now (20" in done.out
    assert f"id:\t{stocked.key_id}" in done.out


def test_a_key_that_may_not_call_the_gateway_says_what_it_may(sandbox: Sandbox) -> None:
    ci = sandbox.ok("keys", "create", "--name", "ci", "--scope", "keys:revoke").secret
    assert "it may not call the gateway: its scopes are keys:revoke" in sandbox.ok("keys", "verify", stdin=ci).out


def test_where_there_is_no_store_it_is_said_that_nobody_was_asked(stocked: Stocked) -> None:
    done = stocked.sandbox.run("keys", "verify", "--store", "none.db", stdin=mint_secret().reveal())

    assert done.code == 3
    assert "there is no store at" in done.out
    assert "no key of this store" not in done.out
