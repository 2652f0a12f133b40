"""Questions and hidden prompts at a real terminal, and what happens where nobody can be asked."""

from __future__ import annotations

from typing import Final

import pytest

from tests.cli.conftest import Stocked
from tests.support.ground import active_keys, sha256
from tests.support.sandbox import Sandbox
from tests.support.terminal import Terminal

ELSEWHERE: Final = "an-older-secret-minted-elsewhere"


@pytest.mark.parametrize("answer", ["\r", "n\r", "no\r", "\x04", "x\r", "yep\r", " \r", "\x03"])
def test_anything_but_yes_declines(stocked: Stocked, answer: str) -> None:
    with Terminal(stocked.sandbox, "keys", "revoke", "prod") as terminal:
        terminal.expect("[y/N]")
        terminal.type(answer)
        done = terminal.finish()
    assert (done.code, done.out) == (130, "")
    assert [key.name for key in active_keys(stocked.sandbox.key_store)] == ["prod"]


@pytest.mark.parametrize("answer", ["y\r", "Y\r", "yes\r", "YES\r"])
def test_yes_revokes_after_the_last_use_was_shown(stocked: Stocked, answer: str) -> None:
    with Terminal(stocked.sandbox, "keys", "revoke", "prod") as terminal:
        terminal.expect("[y/N]")
        assert "last used: unknown" in terminal.err.partition("Revoke")[0]
        assert len(active_keys(stocked.sandbox.key_store)) == 1
        terminal.type(answer)
        done = terminal.finish()
    assert (done.code, done.out) == (0, "")
    assert active_keys(stocked.sandbox.key_store) == []


def test_the_question_is_asked_on_standard_error_so_that_data_can_be_piped(stocked: Stocked) -> None:
    with Terminal(stocked.sandbox, "keys", "revoke", "prod", "--json", stdout="pipe") as terminal:
        terminal.expect("[y/N]")
        terminal.type("y\r")
        done = terminal.finish()
    assert (done.code, done.data["status"]) == (0, "revoked")


@pytest.mark.parametrize(("stdin", "stderr"), [("pipe", "terminal"), ("terminal", "pipe")])
def test_where_nobody_can_be_asked_a_revocation_needs_yes(stocked: Stocked, stdin: str, stderr: str) -> None:
    with Terminal(
        stocked.sandbox,
        "keys",
        "revoke",
        "prod",
        stdin="pipe" if stdin == "pipe" else "terminal",
        stderr="pipe" if stderr == "pipe" else "terminal",
    ) as terminal:
        done = terminal.finish()
    assert done.code == 2
    assert "routic keys revoke prod --yes" in done.err
    assert len(active_keys(stocked.sandbox.key_store)) == 1


@pytest.mark.parametrize("flag", ["--yes", "-y"])
def test_yes_asks_nobody(stocked: Stocked, flag: str) -> None:
    with Terminal(stocked.sandbox, "keys", "revoke", "prod", flag) as terminal:
        done = terminal.finish()
    assert (done.code, "[y/N]" in done.err) == (0, False)
    assert active_keys(stocked.sandbox.key_store) == []


def test_a_secret_typed_at_the_prompt_of_verify_is_shown_nowhere(stocked: Stocked) -> None:
    with Terminal(stocked.sandbox, "keys", "verify") as terminal:
        terminal.expect("Key to verify: ")
        assert not terminal.is_echoing()
        terminal.type(f"{stocked.secret}\r")
        done = terminal.finish()
        assert terminal.is_echoing()
    assert done.code == 0
    assert stocked.secret not in done.out + done.err
    assert "prod" in done.out


def test_a_secret_typed_at_the_prompt_of_import_is_shown_nowhere_and_works(sandbox: Sandbox) -> None:
    with Terminal(sandbox, "keys", "import", "--name", "old", "--json") as terminal:
        terminal.expect("Secret of old: ")
        terminal.type(f"{ELSEWHERE}\r")
        done = terminal.finish()
    assert (done.code, done.data["name"]) == (0, "old")
    assert ELSEWHERE not in done.out + done.err
    assert [key.sha256 for key in active_keys(sandbox.key_store)] == [sha256(ELSEWHERE)]


@pytest.mark.parametrize("command", [["keys", "verify"], ["keys", "import", "--name", "old"]], ids=" ".join)
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_leaving_a_hidden_prompt_is_130_and_the_terminal_echoes_again(
    sandbox: Sandbox, command: list[str], key: str
) -> None:
    with Terminal(sandbox, *command) as terminal:
        terminal.expect(": ")
        terminal.type(key)
        done = terminal.finish()
        assert terminal.is_echoing()
    assert (done.code, done.out) == (130, "")
    assert "Traceback" not in done.err


SECRETS: Final = {
    "ours": "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdef12",
    "cut": "sk-0123456789abcdefghijABCD",
    "another vendor's": "sk-proj-Abcdefghij0123456789_Abcdefghij-0123456789",
}
PLACES: Final = {
    "REF": ["keys", "show", "SECRET"],
    "NEW": ["keys", "rename", "prod", "SECRET"],
    "one of many REFs": ["keys", "revoke", "prod", "SECRET", "--yes"],
    "name": ["keys", "create", "--name", "SECRET"],
    "name with =": ["keys", "create", "--name=SECRET"],
    "tag": ["keys", "create", "--name", "a", "--tag", "k=SECRET"],
    "reason": ["keys", "revoke", "prod", "--yes", "--reason", "leaked: SECRET."],
    "surplus": ["keys", "verify", "SECRET"],
    "after --": ["keys", "verify", "--", "SECRET"],
    "command": ["keys", "SECRET"],
    "group": ["SECRET"],
    "unknown option": ["keys", "list", "--key=SECRET"],
    "store": ["--store", "https://SECRET@example.org", "keys", "list"],
    "file": ["keys", "create", "--name", "a", "--env-file", "SECRET"],
    "path": ["env", "check", "SECRET"],
    "fields": ["keys", "list", "--fields", "SECRET"],
    "json": ["--json", "keys", "import", "--name", "SECRET"],
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_an_argument_is_refused_in_any_position_and_never_repeated(
    stock: Stocked, place: str, kind: str
) -> None:
    before = stock.sandbox.snapshot()
    secret = SECRETS[kind]
    done = stock.sandbox.run(*(argument.replace("SECRET", secret) for argument in PLACES[place]))
    assert (done.code, done.out) == (2, "")
    assert "shape of a key" in done.err
    assert [part for part in (secret, secret[5:], secret[:12]) if part in done.err] == []
    assert stock.sandbox.snapshot() == before
