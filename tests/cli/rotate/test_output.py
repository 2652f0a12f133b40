"""`rotate`: what comes out where, and what stays of the key."""

from __future__ import annotations

import pytest

from tests.support.placed import FILES, Placed
from tests.support.sandbox import SECRET, Sandbox
from tests.support.terminal import Terminal

# What comes out where.


def test_in_a_pipe_a_key_without_places_prints_the_bare_new_secret_and_nothing_else(
    printed: tuple[Sandbox, str],
) -> None:
    sandbox, old = printed
    done = sandbox.ok("rotate", "prod")
    assert done.secret != old
    assert done.secret not in done.err
    assert [sandbox.run("keys", "verify", stdin=each).code for each in (old, done.secret)] == [0, 0]


def test_in_a_pipe_a_key_with_places_prints_nothing(placed: Placed) -> None:
    done = placed.rotate()
    assert (done.code, done.out) == (0, "")
    assert not SECRET.search(done.err)
    assert "prod" in done.err


def test_every_place_holds_the_new_secret_and_all_else_stays(placed: Placed) -> None:
    before = placed.contents()
    new = placed.rotated()
    assert new != placed.secret
    assert placed.contents() == {
        name: text.replace(placed.secret.encode(), new.encode()) for name, text in before.items()
    }
    assert [placed.verify(secret) for secret in (placed.secret, new)] == [0, 0]


def test_show_prints_what_the_files_hold(placed: Placed) -> None:
    done = placed.rotate("--show")
    assert done.secret == placed.held()[0]
    assert len(set(placed.held())) == 1


def test_json_of_a_key_with_places_is_the_key_without_its_secret(placed: Placed) -> None:
    done = placed.rotate("--json")
    shown = placed.show()
    del shown["placements"]
    assert done.data == shown
    assert (done.data["version"], done.err) == (2, "")
    assert not SECRET.search(done.out)


@pytest.mark.parametrize("show", [True, False])
def test_json_has_the_value_once_where_the_secret_is_printed(
    placed: Placed, printed: tuple[Sandbox, str], show: bool
) -> None:
    sandbox = placed.sandbox if show else printed[0]
    done = sandbox.ok("rotate", "prod", "--json", *(["--show"] if show else []))
    shown = sandbox.ok("keys", "show", "prod", "--json").data
    value = done.data["value"]
    del shown["placements"]
    assert done.data == shown | {"value": value}
    assert SECRET.findall(done.out) == [value]
    assert sandbox.run("keys", "verify", stdin=value).code == 0


def test_fields_choose_from_the_key(placed: Placed) -> None:
    assert placed.rotate("--fields", "version,id").data == {"version": 2, "id": placed.key["id"]}


def test_a_field_that_there_is_not_is_refused_before_anything_happens(placed: Placed) -> None:
    before = placed.sandbox.snapshot()
    assert placed.rotate("--fields", "value").code == 2
    assert placed.sandbox.snapshot() == before


def test_on_a_terminal_the_secret_stands_alone_on_its_line_of_standard_output(printed: tuple[Sandbox, str]) -> None:
    sandbox, _ = printed
    with Terminal(sandbox, "rotate", "prod", columns=30) as terminal:
        done = terminal.finish()
    assert done.code == 0
    assert SECRET.fullmatch(done.out.strip("\n"))
    assert not SECRET.search(done.err)
    assert "shown this once" in " ".join(done.err.split())


def test_on_a_terminal_a_key_with_places_shows_where_it_is_and_no_secret(placed: Placed) -> None:
    with Terminal(placed.sandbox, "rotate", "prod", columns=200) as terminal:
        done = terminal.finish()
    assert (done.code, done.out) == (0, "")
    assert not SECRET.search(done.err)
    for name in FILES:
        assert str(placed.file(name).resolve()) in done.err
    assert "version 1 ends in 24 hours" in done.err


def test_keys_rotate_is_the_same_command(placed: Placed) -> None:
    ours, theirs = (placed.sandbox.ok(*words, "--help").out for words in (("rotate",), ("keys", "rotate")))
    assert ours.replace("routic rotate", "X") == theirs.replace("routic keys rotate", "X").replace("routic rotate", "X")
    done = placed.sandbox.ok("keys", "rotate", "prod", "--json")
    assert done.data["version"] == 2
    assert len(set(placed.held()) - {placed.secret}) == 1


# What stays.


def test_rotation_changes_neither_id_nor_name_nor_tags_nor_limits_nor_birthday(placed: Placed) -> None:
    placed.rotated()
    after = placed.show()
    same = ("id", "name", "status", "tags", "scopes", "limits", "created_at", "expires_at", "last_used_at")
    assert {field: after[field] for field in same} == {field: placed.key[field] for field in same}
    assert after["tags"] == {"team": "blue"}


def test_the_new_secret_is_nowhere_but_in_its_files(placed: Placed) -> None:
    new = placed.rotated()
    wanted = sorted(str(placed.file(name).resolve().relative_to(placed.sandbox.root)) for name in FILES)
    assert sorted(placed.sandbox.holders(new)) == wanted
    assert placed.sandbox.holders(placed.secret) == []


@pytest.mark.parametrize(("ref"), ["id", "beginning of the id"])
def test_a_key_is_rotated_by_its_id(placed: Placed, ref: str) -> None:
    key_id = placed.key["id"] if ref == "id" else placed.key["id"][:10]
    placed.sandbox.ok("rotate", key_id)
    assert placed.show()["version"] == 2
