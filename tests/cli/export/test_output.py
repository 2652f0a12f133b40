"""`export`: what a terminal and a file get, and a reader that is not there."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import pytest

from tests.support.exporting import Home, secret_in, unchanged
from tests.support.sandbox import SECRET, Done, Sandbox
from tests.support.terminal import Terminal

# --- a terminal


def test_a_terminal_is_shown_the_secret_with_show_only(home: Home) -> None:
    with Terminal(home.sandbox, "export", "prod") as terminal:
        refused = terminal.finish()
    assert (refused.code, refused.out) == (2, "")
    assert [
        word for word in ("--show", 'eval "$(routic export', "Nothing was exported") if word not in refused.err
    ] == []
    assert SECRET.search(refused.err) is None
    with Terminal(home.sandbox, "export", "prod", "--show", columns=20) as terminal:
        assert terminal.finish() == Done(0, f"export ROUTIC_API_KEY={home.prod}\n", "")


def test_a_format_of_data_shows_no_secret_on_a_terminal_either(home: Home) -> None:
    for chosen in ("json", "kubernetes"):
        with Terminal(home.sandbox, "export", "prod", "--format", chosen) as terminal:
            refused = terminal.finish()
        assert (refused.code, refused.out, SECRET.search(refused.err)) == (2, "", None)


def test_a_file_may_be_written_from_a_terminal(placed: Sandbox) -> None:
    with Terminal(placed, "export", "prod", "--output", ".env.out") as terminal:
        done = terminal.finish()
    assert (done.code, done.out) == (0, "")
    assert "Exported to .env.out" in done.err
    assert SECRET.search((placed.cwd / ".env.out").read_text())


# --- a file


def test_a_file_is_written_for_its_owner_alone_and_nothing_else_is_left(placed: Sandbox) -> None:
    secret = secret_in(placed.cwd / ".env")
    before = set(placed.snapshot())
    done = placed.ok("export", "prod", "--format", "systemd", "--output", ".env.service", before=lambda: _umask(0))
    assert done.out == ""
    path = placed.cwd / ".env.service"
    assert path.read_text() == placed.ok("export", "prod", "--format", "systemd").out
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(placed.snapshot()) - before == {"work/.env.service"}
    assert placed.holders(secret) == ["work/.env", "work/.env.service"]


def _umask(mask: int) -> None:
    os.umask(mask)


def test_an_earlier_export_is_replaced_whole_and_made_private(placed: Sandbox) -> None:
    path = placed.cwd / ".env.out"
    placed.ok("export", "prod", "--output", ".env.out")
    path.chmod(0o644)
    placed.ok("rotate", "prod")
    placed.ok("export", "prod", "--output", ".env.out")
    assert path.read_text() == placed.ok("export", "prod").out
    assert path.stat().st_mode & 0o777 == 0o600


def test_any_other_file_is_replaced_only_by_force(placed: Sandbox) -> None:
    path = placed.cwd / ".env.out"
    path.write_text("DB_PASSWORD=kept\n" * 100)
    done = placed.run("export", "prod", "--output", ".env.out")
    assert (done.code, path.read_text()) == (6, "DB_PASSWORD=kept\n" * 100)
    assert "Nothing was exported" in done.err
    placed.ok("export", "prod", "--output", ".env.out", "--force")
    assert path.read_text() == placed.ok("export", "prod").out


@pytest.mark.parametrize("before", [None, "kept\n"])
def test_a_file_that_git_would_publish_is_refused(home: Home, before: str | None) -> None:
    path = home.sandbox.cwd / "app.env"
    if before is not None:
        path.write_text(before)
    with unchanged(home.sandbox):
        done = home.sandbox.run("export", "prod", "--output", "app.env")
    path.unlink(missing_ok=True)
    assert (done.code, done.out) == (6, "")
    assert [w for w in ("not ignored", "Nothing was exported", "env check --fix app.env") if w not in done.err] == []
    assert home.sandbox.committable() == []


def test_the_remedy_of_a_refused_file_mends_it(placed: Sandbox) -> None:
    refused = placed.run("export", "prod", "--output", "app.env")
    remedy = refused.err.partition("Try: routic ")[2].split()
    placed.ok(*remedy)
    placed.ok("export", "prod", "--output", "app.env")
    assert "app.env" not in placed.committable()


@pytest.mark.parametrize("output", [".env.d/x", ".env.d", "/dev/full"])
def test_a_file_that_cannot_be_written_is_an_error_that_leaves_nothing(home: Home, output: str) -> None:
    folder = home.sandbox.cwd / ".env.d"
    if output == ".env.d":
        folder.mkdir()
    with unchanged(home.sandbox):
        done = home.sandbox.run("export", "prod", "--output", output)
    if folder.exists():
        folder.rmdir()
    assert done.code in {1, 6}
    assert (done.out, "Internal error" in done.err, "Nothing was" in done.err) == ("", False, True)


def test_a_failed_export_leaves_the_file_as_it_was(home: Home) -> None:
    with unchanged(home.sandbox):
        done = home.sandbox.run("export", "nope", "--output", ".env.worker")
    assert (done.code, done.out) == (3, "")


# --- a reader that is not there


@pytest.mark.parametrize("more", [[], ["--quiet"]], ids=["quick", "long"])
def test_a_reader_that_has_gone_ends_it_as_it_ends_other_programs(home: Home, more: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = home.sandbox.run("export", "prod", *more, stdout=write)
    os.close(write)
    assert (done.code, done.err) == (-signal.SIGPIPE, "")


@pytest.mark.parametrize("more", [[], ["--quiet"]], ids=["quick", "long"])
def test_a_closed_standard_output_is_an_error_and_nothing_gets_the_secret(home: Home, more: list[str]) -> None:
    before = _digests(home.sandbox)
    done = home.sandbox.run("export", "prod", *more, before=lambda: os.close(1))
    assert (done.code, done.out) == (1, "")
    assert "Standard output is closed" in done.err
    assert _digests(home.sandbox) == before


def _digests(sandbox: Sandbox) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sandbox.files()}


@pytest.mark.parametrize("more", [[], ["--quiet"]], ids=["quick", "long"])
def test_a_full_disk_is_an_error(home: Home, more: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = home.sandbox.run("export", "prod", *more, stdout=full)
    assert (done.code, "No space left on device" in done.err) == (1, True)
