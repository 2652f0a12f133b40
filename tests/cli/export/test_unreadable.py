"""`export` of a key that cannot be had: revoked, expired, replaced, changed or gone."""

from __future__ import annotations

import sqlite3  # noqa: TID253  # an end in the past, which no command gives
from contextlib import closing

import pytest

from tests.support.exporting import NOT_OURS, secret_in
from tests.support.sandbox import SECRET, Sandbox

# --- a key that cannot be had


def refused(sandbox: Sandbox, code: int, *words: str) -> None:
    """The error says so and how to get one; and it is the same without a name, and for `run`."""
    done = sandbox.run("export", "prod")
    assert (done.code, done.out) == (code, "false\n")
    said = " ".join(done.err.split())
    assert [word for word in (*words, "Nothing was exported", "Try: routic ") if word not in said] == []
    assert SECRET.search(done.err) is None
    assert sandbox.run("run", "prod", "--", "true").code == 125


def test_a_revoked_key_is_not_exported(placed: Sandbox) -> None:
    placed.ok("keys", "revoke", "prod", "--yes")
    key_id = placed.ok("keys", "list", "--all", "--fields", "id").data["data"][0]["id"]
    done = placed.run("export", key_id)
    assert (done.code, done.out) == (5, "false\n")
    assert ["is revoked" in done.err, "routic keys create" in done.err, "Nothing was exported" in done.err] == [
        True
    ] * 3
    assert placed.run("export", "prod").code in {3, 5}
    assert placed.run("run", key_id, "--", "true").code == 125


def test_an_expired_key_is_not_exported(placed: Sandbox) -> None:
    key_id = placed.ok("keys", "show", "prod", "--fields", "id").data["id"]
    with closing(sqlite3.connect(placed.key_store)) as connection, connection:
        connection.execute("UPDATE keys SET created_at = 1, expires_at = 2")
    done = placed.run("export", key_id)
    assert (done.code, done.out) == (5, "false\n")
    assert ["is expired" in done.err, "routic keys create" in done.err] == [True, True]


def test_a_version_that_was_replaced_elsewhere_is_not_exported(placed: Sandbox) -> None:
    placed.ok("rotate", "prod", "--env-file", ".env.new")
    assert placed.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret_in(placed.cwd / '.env.new')}\n"
    (placed.cwd / ".env.new").unlink()
    refused(
        placed, 1, "cannot be read on this machine", "Version 2", str(placed.cwd / ".env"), "rotate prod --env-file"
    )


def test_a_value_that_was_changed_by_hand_is_not_exported(placed: Sandbox) -> None:
    path = placed.cwd / ".env"
    secret = secret_in(path)
    path.write_text(f"ROUTIC_API_KEY={secret}\nROUTIC_API_KEY={NOT_OURS}\n")
    refused(placed, 1, "cannot be read on this machine", "rotate prod --env-file")
    path.write_text(f"# by hand\nOTHER={secret}\nexport ROUTIC_API_KEY='{secret}'  # quoted\n")
    assert placed.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret}\n"


@pytest.mark.parametrize("way", ["removed", "emptied", "a folder", "a link to nowhere", "not text"])
def test_a_file_that_is_gone_is_no_place_to_export_from(placed: Sandbox, way: str) -> None:
    path = placed.cwd / ".env"
    path.unlink()
    if way == "emptied":
        path.write_text("")
    elif way == "a folder":
        path.mkdir()
    elif way == "a link to nowhere":
        path.symlink_to("nowhere")
    elif way == "not text":
        path.write_bytes(b"\xff\0=\x80")
    refused(placed, 1, "cannot be read on this machine", "rotate prod --env-file")


def test_a_key_that_was_only_printed_says_that_a_store_has_its_hash_only(sandbox: Sandbox) -> None:
    sandbox.ok("keys", "create", "--name", "prod")
    refused(sandbox, 1, "No file or keyring here is known to hold it", "hash only", "rotate prod --env-file")


def test_the_remedy_of_an_unreadable_key_makes_it_readable(placed: Sandbox) -> None:
    (placed.cwd / ".env").unlink()
    remedy = placed.run("export", "prod").err.partition("Try: routic ")[2].partition(",")[0]
    placed.ok(*remedy.replace("PATH", ".env").split())
    assert placed.ok("export", "prod").out == f"export ROUTIC_API_KEY={secret_in(placed.cwd / '.env')}\n"
