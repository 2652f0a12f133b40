"""`rotate --finish` and `--abort`: how a rotation ends before its grace does."""

from __future__ import annotations

import pytest

from tests.support.placed import A_DAY_LATER, A_SECOND_SHORT_OF_A_DAY_LATER, FILES, MORNING, Placed
from tests.support.sandbox import SECRET, Sandbox
from tests.support.terminal import Terminal

# --finish


def test_finish_ends_the_old_version_when_no_place_holds_it(placed: Placed) -> None:
    new = placed.rotated()
    done = placed.rotate("--finish", "--yes", "--json")
    assert (done.code, [version["status"] for version in done.data["versions"]]) == (0, ["ended", "current"])
    assert [placed.verify(secret) for secret in (placed.secret, new)] == [9, 0]


def test_finish_is_refused_while_a_place_holds_the_old_version_unless_forced(placed: Placed) -> None:
    placed.rotated("--env-file", ".env")
    done = placed.rotate("--finish", "--yes")
    assert done.code == 5
    assert str(placed.file("api/.env")) in done.err
    assert placed.verify(placed.secret) == 0
    assert placed.rotate("--finish", "--yes", "--force").code == 0
    assert placed.verify(placed.secret) == 9


@pytest.mark.parametrize("flag", ["--finish", "--abort"])
def test_what_ends_a_rotation_asks_on_a_terminal_and_takes_enter_for_no(placed: Placed, flag: str) -> None:
    placed.rotated()
    before = placed.contents()
    with Terminal(placed.sandbox, "rotate", "prod", flag, columns=200) as terminal:
        terminal.expect("[y/N]")
        assert "Last used: unknown." in terminal.err
        terminal.type("\r")
        done = terminal.finish()
    assert (done.code, done.out) == (130, "")
    assert (placed.contents(), placed.verify(placed.secret)) == (before, 0)
    assert placed.status()["retiring"]["version"] == 1


@pytest.mark.parametrize("flag", ["--finish", "--abort"])
def test_what_ends_a_rotation_does_it_when_told_yes(placed: Placed, flag: str) -> None:
    placed.rotated()
    with Terminal(placed.sandbox, "rotate", "prod", flag, columns=200) as terminal:
        terminal.expect("[y/N]")
        terminal.type("y\r")
        assert terminal.finish().code == 0
    assert placed.status()["retiring"] is None


@pytest.mark.parametrize("flag", ["--finish", "--abort"])
def test_what_ends_a_rotation_needs_yes_in_a_pipe(placed: Placed, flag: str) -> None:
    placed.rotated()
    before = placed.contents()
    done = placed.rotate(flag)
    assert (done.code, done.out) == (2, "")
    assert f"routic rotate prod {flag} --yes" in done.err
    assert (placed.contents(), placed.status()["retiring"]["version"]) == (before, 1)


@pytest.mark.parametrize("flag", ["--finish", "--abort"])
def test_where_nothing_retires_there_is_nothing_to_end(placed: Placed, flag: str) -> None:
    before = placed.sandbox.snapshot()
    done = placed.rotate(flag, "--yes")
    assert done.code == 5
    assert "Nothing was changed" in done.err
    assert placed.sandbox.snapshot() == before


@pytest.mark.parametrize("flag", ["--finish", "--abort"])
def test_after_the_grace_there_is_nothing_to_end(placed: Placed, flag: str) -> None:
    new = placed.rotated(at=MORNING)
    assert placed.rotate(flag, "--yes", at=A_DAY_LATER).code == 5
    assert placed.held() == [new] * 3


# --abort


def test_abort_gives_every_file_its_bytes_back_and_makes_the_old_secret_the_current_one(placed: Placed) -> None:
    before = placed.contents()
    new = placed.rotated(at=MORNING)
    done = placed.rotate("--abort", "--yes", at=A_SECOND_SHORT_OF_A_DAY_LATER)
    assert done.code == 0, done.err
    assert placed.contents() == before
    assert [placed.verify(secret, at=A_DAY_LATER) for secret in (placed.secret, new)] == [0, 9]
    shown = placed.show()
    assert (shown["version"], shown["versions"][0]["expires_at"]) == (1, None)


def test_abort_says_where_it_put_the_old_secret_back(placed: Placed) -> None:
    placed.rotated()
    done = placed.rotate("--abort", "--yes")
    for name in FILES:
        assert f"Put back: {placed.file(name).resolve()} as ROUTIC_API_KEY" in done.err
    assert not SECRET.search(done.out + done.err)
    assert placed.sandbox.run("doctor").code == 0


def test_abort_with_json_prints_the_key(placed: Placed) -> None:
    placed.rotated()
    done = placed.rotate("--abort", "--yes", "--json")
    assert (done.data["version"], done.err) == (1, "")
    assert [version["status"] for version in done.data["versions"]] == ["current", "ended"]


def test_abort_of_a_key_that_is_nowhere_here_makes_the_old_secret_the_current_one(
    printed: tuple[Sandbox, str],
) -> None:
    sandbox, old = printed
    new = sandbox.ok("rotate", "prod").secret
    sandbox.ok("rotate", "prod", "--abort", "--yes")
    assert [sandbox.run("keys", "verify", stdin=each).code for each in (old, new)] == [0, 9]


def test_abort_notices_a_file_that_was_edited_by_hand_and_leaves_it(placed: Placed) -> None:
    placed.rotated()
    placed.file("api/.env").write_text("ROUTIC_API_KEY=by-hand\n")
    assert placed.rotate("--abort", "--yes").code == 0
    assert placed.file("api/.env").read_text() == "ROUTIC_API_KEY=by-hand\n"
    assert SECRET.findall(placed.file(".env").read_text()) == [placed.secret]


def test_a_second_abort_has_nothing_to_do(placed: Placed) -> None:
    placed.rotated()
    assert [placed.rotate("--abort", "--yes").code for _ in range(2)] == [0, 5]
    assert placed.held() == [placed.secret] * 3
