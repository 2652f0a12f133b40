"""`rotate`: what cannot be rotated, and what does not go together."""

from __future__ import annotations

import pytest

from tests.support.placed import Placed

# What cannot be rotated, and what does not go together.


def test_a_revoked_key_has_no_next_version(placed: Placed) -> None:
    placed.sandbox.ok("keys", "revoke", "prod", "--yes")
    before = placed.contents()
    done = placed.rotate()
    assert done.code == 5
    assert "No version was created" in done.err
    assert placed.contents() == before


def test_a_key_that_there_is_not_cannot_be_rotated(placed: Placed) -> None:
    assert placed.sandbox.run("rotate", "nosuch").code == 3


@pytest.mark.parametrize(
    "flags",
    [
        ["--status", "--finish"],
        ["--finish", "--abort"],
        ["--abort", "--now"],
        ["--finish", "--env-file", "new.env"],
        ["--status", "--show"],
        ["--abort", "--wait", "5s"],
    ],
    ids=" ".join,
)
def test_flags_that_do_not_go_together_are_refused_before_anything_happens(placed: Placed, flags: list[str]) -> None:
    placed.rotated()
    before = placed.sandbox.snapshot()
    done = placed.rotate(*flags, "--yes")
    assert done.code == 2
    assert placed.sandbox.snapshot() == before


def test_an_error_with_json_is_one_object(placed: Placed) -> None:
    done = placed.rotate("--now", "--json")
    assert (done.code, done.out) == (2, "")
    assert "routic rotate prod --now --yes" in done.error["remedy"]
