"""`routic rotate`: each of its flags, on a terminal, in a pipe and with --json."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.sandbox import SECRET, Done, Sandbox
from tests.support.terminal import Terminal

FILES: Final = (".env", "api/.env", "../elsewhere/.env")
BEFORE: Final = {
    ".env": b"# kept\r\nOTHER=1\r\nexport ROUTIC_API_KEY=old   # why\r\nLAST=x",
    "api/.env": b"\xef\xbb\xbfROUTIC_API_KEY=old\nROUTIC_API_KEY_2=b\n",
    "../elsewhere/.env": b"",
}
MORNING: Final = "2027-01-15 08:00:00"
A_SECOND_SHORT_OF_A_DAY_LATER: Final = "2027-01-16 07:59:59"
A_DAY_LATER: Final = "2027-01-16 08:00:00"


@dataclass(frozen=True, slots=True)
class Placed:
    """A key called `prod` in three files: at the top of a repository, deeper in it, and outside of it."""

    sandbox: Sandbox
    key: dict[str, Any]
    secret: str

    def file(self, name: str) -> Path:
        return self.sandbox.cwd / name

    def contents(self) -> dict[str, bytes]:
        return {name: self.file(name).read_bytes() for name in FILES if self.file(name).exists()}

    def held(self) -> list[str]:
        """The secret in each file."""
        return [SECRET.findall(content.decode())[0] for content in self.contents().values()]

    def rotate(self, *arguments: object, at: str = "", **options: Any) -> Done:
        return self.sandbox.run("rotate", "prod", *arguments, env={"FAKETIME": at or MORNING}, **options)

    def rotated(self, *arguments: object, at: str = "") -> str:
        """Rotate, which ends with 0; the new secret in the first file."""
        done = self.rotate(*arguments, at=at)
        assert done.code == 0, done.err
        return self.held()[0]

    def verify(self, secret: str, *, at: str = "") -> int:
        return self.sandbox.run("keys", "verify", stdin=secret, env={"FAKETIME": at or MORNING}).code

    def show(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.sandbox.ok("keys", "show", "prod", "--json").data
        return shown

    def status(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.rotate("--status", "--json").data
        return shown


def clock(at: str) -> dict[str, str]:
    """The environment in which a command sees this moment, UTC, and no other."""
    shown = subprocess.run(["faketime", "-f", at, "env"], capture_output=True, text=True, check=True).stdout
    preload = next(line for line in shown.splitlines() if line.startswith("LD_PRELOAD="))
    return {"TZ": "UTC", "FAKETIME": at, "LD_PRELOAD": preload.partition("=")[2]}


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Placed:
    """What `placed` is made like again for each test; in the same place, for a placement is an absolute path."""
    sandbox = Sandbox(tmp_path_factory.mktemp("rotate") / "machine", extra=clock(MORNING))
    sandbox.make_repository()
    for name, content in BEFORE.items():
        path = sandbox.cwd / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
    into = [text for name in FILES for text in ("--env-file", name)]
    options = ["--tag", "team=blue", "--rpm", "60", "--expires", "never"]
    key = sandbox.ok("keys", "create", "--name", "prod", *options, *into, "--json").data
    placed = Placed(sandbox, key, "")
    shutil.copytree(sandbox.root, sandbox.root.with_suffix(".kept"), symlinks=True)
    return Placed(sandbox, key, placed.held()[0])


@pytest.fixture
def placed(stock: Placed) -> Placed:
    shutil.rmtree(stock.sandbox.root)
    shutil.copytree(stock.sandbox.root.with_suffix(".kept"), stock.sandbox.root, symlinks=True)
    return stock


@pytest.fixture
def printed(sandbox: Sandbox) -> tuple[Sandbox, str]:
    """A key called `prod` that is nowhere on its machine, and its secret."""
    return sandbox, sandbox.ok("keys", "create", "--name", "prod").secret


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


# Grace.


def test_grace_lets_the_old_secret_in_until_its_last_second_and_refuses_it_as_expired_from_then_on(
    placed: Placed,
) -> None:
    new = placed.rotated("--grace", "24h", at=MORNING)
    assert placed.verify(placed.secret, at=A_SECOND_SHORT_OF_A_DAY_LATER) == 0
    done = placed.sandbox.run("keys", "verify", "--json", stdin=placed.secret, env={"FAKETIME": A_DAY_LATER})
    assert (done.code, done.data["status"]) == (9, "expired")
    assert placed.verify(new, at=A_DAY_LATER) == 0


def test_the_grace_is_a_day_unless_another_is_named(placed: Placed) -> None:
    placed.rotated(at=MORNING)
    first = placed.show()["versions"][0]
    assert first["expires_at"] - placed.key["created_at"] == 86_400
    placed.rotated("--grace", "90s", at=MORNING)
    second = placed.show()["versions"][1]
    assert second["expires_at"] - placed.key["created_at"] == 90


@pytest.mark.parametrize("grace", ["8000y", "1x", "", "-1h", "24"])
def test_a_grace_that_cannot_be_is_refused_before_anything_happens(placed: Placed, grace: str) -> None:
    before = placed.sandbox.snapshot()
    done = placed.rotate(f"--grace={grace}")
    assert done.code == 2
    assert placed.sandbox.snapshot() == before


def test_a_rotation_of_a_rotation_says_that_it_ends_the_oldest_before_it_does(placed: Placed) -> None:
    placed.rotated()
    with Terminal(placed.sandbox, "rotate", "prod", "--now", columns=200) as terminal:
        terminal.expect("[y/N]")
        assert "Version 1 of prod is still let in; this rotation ends it at once" in terminal.err
        assert placed.verify(placed.secret) == 0
        terminal.type("y\r")
        assert terminal.finish().code == 0
    assert placed.verify(placed.secret) == 9


def test_a_rotation_of_a_rotation_refuses_no_secret_in_any_file(placed: Placed) -> None:
    second = placed.rotated()
    third = placed.rotated()
    assert [placed.verify(secret) for secret in (placed.secret, second, third)] == [9, 0, 0]
    assert placed.held() == [third] * 3


# --now


def test_now_asks_on_a_terminal_and_takes_enter_for_no(placed: Placed) -> None:
    before = placed.contents()
    with Terminal(placed.sandbox, "rotate", "prod", "--now", columns=200) as terminal:
        terminal.expect("[y/N]")
        assert "Last used: unknown." in terminal.err
        terminal.type("\r")
        done = terminal.finish()
    assert (done.code, done.out) == (130, "")
    assert (placed.contents(), placed.show()["version"]) == (before, 1)


def test_now_in_a_pipe_needs_yes(placed: Placed) -> None:
    before = placed.sandbox.snapshot()
    done = placed.rotate("--now")
    assert (done.code, done.out) == (2, "")
    assert "routic rotate prod --now --yes" in done.err
    assert placed.sandbox.snapshot() == before


def test_now_with_yes_refuses_the_old_secret_at_once(placed: Placed) -> None:
    new = placed.rotated("--now", "--yes")
    assert [placed.verify(secret) for secret in (placed.secret, new)] == [9, 0]


def test_a_grace_of_nothing_is_now(placed: Placed) -> None:
    assert placed.rotate("--grace", "0s").code == 2
    placed.rotated("--grace", "0s", "--yes")
    assert placed.verify(placed.secret) == 9


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
    assert set(status) == {"object", "id", "name", "current", "retiring", "last_used_at", "held_by"}
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


# --wait


@pytest.mark.parametrize("flags", [[], ["--now", "--yes"]], ids=["grace", "now"])
def test_wait_ends_when_the_store_itself_says_so(placed: Placed, flags: list[str]) -> None:
    done = placed.rotate("--wait", "5s", *flags)
    assert done.code == 0
    assert "The store was asked" in done.err


def test_wait_of_a_revocation_ends_when_the_store_refuses_the_key(placed: Placed) -> None:
    done = placed.sandbox.ok("keys", "revoke", "prod", "--yes", "--wait", "5s")
    assert "The store was asked" in done.err
    assert placed.verify(placed.secret) == 9


@pytest.mark.parametrize("command", [["rotate", "prod"], ["keys", "revoke", "prod", "--yes"]])
def test_a_wait_that_cannot_be_is_refused_before_anything_happens(placed: Placed, command: list[str]) -> None:
    before = placed.sandbox.snapshot()
    assert placed.sandbox.run(*command, "--wait", "soon").code == 2
    assert placed.sandbox.snapshot() == before


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
