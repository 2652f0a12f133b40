"""`rotate`: the places that get the new secret, named or not, and those that are not as they were."""

from __future__ import annotations

from tests.support.placed import FILES, Placed
from tests.support.sandbox import SECRET

# Places that are not as they were.


def test_a_file_that_was_edited_by_hand_is_noticed_and_left(placed: Placed) -> None:
    placed.file("api/.env").write_text("ROUTIC_API_KEY=by-hand\n")
    done = placed.rotate()
    assert done.code == 0
    assert f"{placed.file('api/.env')} as ROUTIC_API_KEY holds something else now; it is left as it is" in done.err
    assert placed.file("api/.env").read_text() == "ROUTIC_API_KEY=by-hand\n"
    assert placed.secret not in placed.file(".env").read_text()


def test_a_file_that_is_gone_is_noticed_and_not_made_again(placed: Placed) -> None:
    placed.file("api/.env").unlink()
    done = placed.rotate()
    assert done.code == 0
    assert f"{placed.file('api/.env')} as ROUTIC_API_KEY holds the key no longer" in done.err
    assert not placed.file("api/.env").exists()
    assert placed.held()[0] != placed.secret


def test_a_key_that_no_place_holds_any_more_is_not_rotated_into_the_void(placed: Placed) -> None:
    for name in FILES:
        placed.file(name).unlink()
    done = placed.rotate()
    assert (done.code, done.out) == (5, "")
    assert "No version was created" in done.err
    assert placed.show()["version"] == 1
    assert SECRET.fullmatch(placed.rotate("--show").secret)


def test_a_file_that_git_has_taken_up_since_is_refused_before_anything_exists(placed: Placed) -> None:
    placed.sandbox.git("add", "-f", "api/.env")
    before = placed.sandbox.snapshot()
    done = placed.rotate()
    assert done.code == 6
    assert "No version was created" in done.err
    assert "git rm --cached api/.env" in done.err
    assert placed.sandbox.snapshot() == before
    placed.sandbox.shell("git rm -q --cached api/.env")
    placed.rotated()


def test_force_turns_the_refusal_of_a_file_into_a_warning(placed: Placed) -> None:
    placed.sandbox.git("add", "-f", "api/.env")
    done = placed.rotate("--force")
    assert done.code == 0
    assert "tracked by git or staged" in done.err
    assert len(set(placed.held())) == 1
    done = placed.rotate("--abort", "--yes", "--force")
    assert done.code == 0, done.err
    assert placed.held() == [placed.secret] * 3


def test_a_wide_mode_is_tightened_and_told(placed: Placed) -> None:
    placed.file("api/.env").chmod(0o644)
    done = placed.rotate()
    assert placed.file("api/.env").stat().st_mode & 0o777 == 0o600
    assert "it is 0600 now" in done.err


# Named places.


def test_a_named_file_alone_gets_the_new_secret_and_the_others_are_told_of(placed: Placed) -> None:
    before = placed.contents()
    done = placed.rotate("--env-file", "new.env", "--env-file", "api/.env", "--force")
    assert done.code == 0
    for name in (".env", "../elsewhere/.env"):
        assert f"{placed.file(name).resolve()} as ROUTIC_API_KEY keeps version 1: it was not named" in done.err
        assert placed.file(name).read_bytes() == before[name]
    assert SECRET.findall(placed.file("new.env").read_text()) == SECRET.findall(placed.file("api/.env").read_text())
    assert placed.status()["held_by"] == [
        str(placed.file(name).resolve()) for name in sorted((".env", "../elsewhere/.env"))
    ]


def test_a_file_named_twice_and_through_a_link_is_written_once(placed: Placed) -> None:
    placed.file("link.env").symlink_to(".env")
    done = placed.rotate("--env-file", ".env", "--env-file", "./.env", "--env-file", "link.env", "--force")
    assert done.code == 0, done.err
    assert done.err.count("Its key is in") == 1


def test_the_next_rotation_renews_a_newly_named_place_too(placed: Placed) -> None:
    assert placed.rotate("--env-file", ".env.local").code == 0
    placed.rotated()
    assert SECRET.findall(placed.file(".env.local").read_text()) == [placed.held()[0]]
    assert placed.held() == [placed.held()[0]] * 3


def test_a_rotation_that_would_end_the_version_of_an_unnamed_place_is_refused(placed: Placed) -> None:
    placed.rotated("--env-file", ".env")
    before = placed.sandbox.snapshot()
    done = placed.rotate("--env-file", ".env")
    assert done.code == 5
    assert str(placed.file("api/.env")) in done.err
    assert placed.sandbox.snapshot() == before
    assert placed.rotate("--env-file", ".env", "--force").code == 0
    assert placed.verify(placed.secret) == 9


def test_naming_every_place_by_a_relative_path_is_naming_it(placed: Placed) -> None:
    placed.rotated("--env-file", ".env")
    named = [text for name in FILES for text in ("--env-file", name)]
    assert placed.rotate(*named).code == 0
    assert len(set(placed.held())) == 1


def test_another_variable_is_another_place(placed: Placed) -> None:
    placed.rotated("--env-file", ".env", "--var", "SECOND_KEY")
    text = placed.file(".env").read_text()
    assert f"ROUTIC_API_KEY={placed.secret}" in text
    assert len(set(SECRET.findall(text))) == 2
    placed.rotated()
    assert len(set(SECRET.findall(placed.file(".env").read_text()))) == 1
