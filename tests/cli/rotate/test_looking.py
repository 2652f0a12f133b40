"""`rotate --dry-run`, `--status` and what other commands show of a rotation: nothing changes by looking."""

from __future__ import annotations

import pytest

from tests.support.placed import A_DAY_LATER, MORNING, Placed
from tests.support.sandbox import SECRET
from tests.support.terminal import Terminal

# --dry-run


@pytest.mark.parametrize(
    "flags",
    [[], ["--now"], ["--env-file", "new.env", "--force"], ["--finish", "--force"], ["--abort"], ["--show"]],
    ids=" ".join,
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_dry_run_changes_no_byte(placed: Placed, flags: list[str], as_json: bool) -> None:
    placed.rotated()
    before = placed.sandbox.snapshot()
    done = placed.rotate(*flags, "--dry-run", "--yes", *(["--json"] if as_json else []))
    assert done.code == 0, done.err
    assert placed.sandbox.snapshot() == before
    assert not SECRET.search(done.out + done.err)


def test_a_dry_run_says_of_each_place_what_would_happen(placed: Placed) -> None:
    placed.file("api/.env").write_text("ROUTIC_API_KEY=by-hand\n")
    rows = placed.rotate("--dry-run", "--json", "--env-file", "new.env", "--env-file", ".env", "--force").data["data"]
    said = {row["location"]: (row["variable"], row["holds"], row["would"]) for row in rows}
    assert said == {
        str(placed.file("new.env")): ("ROUTIC_API_KEY", "", "renew"),
        str(placed.file(".env")): ("ROUTIC_API_KEY", "current", "renew"),
        str(placed.file("api/.env")): ("ROUTIC_API_KEY", "changed", "leave"),
        str(placed.file("../elsewhere/.env").resolve()): ("ROUTIC_API_KEY", "current", "leave"),
    }
    done = placed.rotate("--dry-run")
    assert f"would renew: {placed.file('.env')}" in done.err
    assert f"would leave: {placed.file('api/.env')}" in done.err
    assert "no version was created" in done.err


def test_a_dry_run_is_refused_as_the_rotation_would_be(placed: Placed) -> None:
    placed.sandbox.git("add", "-f", "api/.env")
    assert placed.rotate("--dry-run").code == 6


# --status


def test_status_of_a_key_that_is_not_rotating_says_so(placed: Placed) -> None:
    status = placed.status()
    assert (status["retiring"], status["held_by"], status["current"]["version"]) == (None, [], 1)
    done = placed.rotate("--status")
    assert "retiring:\tnone" in done.out


def test_status_names_who_holds_the_old_version_still(placed: Placed) -> None:
    placed.rotated("--env-file", ".env", at=MORNING)
    status = placed.sandbox.ok("rotate", "prod", "--status", "--json").data
    fields = {"object", "id", "name", "current", "retiring", "last_used_at", "held_by", "rotated_at", "used_by"}
    assert set(status) == fields
    assert (status["rotated_at"], status["used_by"]) == (1_800_000_000, None)
    assert (status["current"]["version"], status["retiring"]["version"]) == (2, 1)
    assert set(status["held_by"]) == {str(placed.file(name).resolve()) for name in ("api/.env", "../elsewhere/.env")}
    done = placed.sandbox.ok("rotate", "prod", "--status")
    assert "ends in 24 hours" in done.out
    assert str(placed.file("api/.env")) in done.out
    assert done.err == ""


def test_status_on_a_terminal_shows_no_secret_and_changes_nothing(placed: Placed) -> None:
    placed.rotated()
    before = placed.sandbox.snapshot()
    with Terminal(placed.sandbox, "rotate", "prod", "--status") as terminal:
        done = terminal.finish()
    assert (done.code, done.err) == (0, "")
    assert not SECRET.search(done.out)
    assert placed.sandbox.snapshot() == before


# Placements, as other commands show them.


def test_keys_show_lists_every_place_and_what_it_holds_now(placed: Placed) -> None:
    placed.rotated("--env-file", ".env")
    placed.file("api/.env").write_text("ROUTIC_API_KEY=by-hand\n")
    shown = {place["location"]: (place["version"], place["holds"]) for place in placed.show()["placements"]}
    assert shown == {
        str(placed.file(".env")): (2, "current"),
        str(placed.file("api/.env")): (1, "changed"),
        str(placed.file("../elsewhere/.env").resolve()): (1, "retiring"),
    }
    placed.file("../elsewhere/.env").unlink()
    assert "missing" in placed.sandbox.ok("keys", "show", "prod").out


def test_env_check_tells_of_a_version_that_is_retiring_and_finds_one_that_is_dead(placed: Placed) -> None:
    placed.rotated("--env-file", ".env", at=MORNING)
    retiring = placed.sandbox.run("env", "check", "api/.env", "--json")
    assert (retiring.code, [f["rule"] for f in retiring.data["data"][0]["findings"]]) == (0, ["retiring-key"])
    dead = placed.sandbox.run("env", "check", "api/.env", "--json", env={"FAKETIME": A_DAY_LATER})
    assert (dead.code, [f["rule"] for f in dead.data["data"][0]["findings"]]) == (9, ["dead-key"])
