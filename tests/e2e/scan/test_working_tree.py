"""`routic scan` finds each planted key in the files as they lie there, and nothing that is none."""

from __future__ import annotations

import os
import shlex

import pytest

from routic_cli.domain.key_format import check_characters
from tests.support.scanned import Planted


def test_a_key_is_found_in_a_file_that_nobody_has_added_yet(planted: Planted) -> None:
    planted.write("src/new.py", f"# one\nKEY = '{planted.prod}'\n")
    assert planted.found() == [("src/new.py", 2, None, "active")]


def test_a_tracked_file_counts_as_it_is_now(planted: Planted) -> None:
    planted.commit("a.txt", f"{planted.prod}\n")
    planted.commit("b.txt", "b\n")
    planted.write("a.txt", "clean\n")
    (planted.top / "b.txt").unlink()
    assert planted.found(code=0) == []


def test_ignored_files_are_left_out_unless_they_are_asked_for_or_named(planted: Planted) -> None:
    planted.write(".env", f"KEY={planted.prod}\n")
    planted.write(".env.d/deep/x", f"KEY={planted.prod}\n")
    assert planted.found(code=0) == []
    assert planted.found("--no-ignore") == [(".env", 1, None, "active"), (".env.d/deep/x", 1, None, "active")]
    assert planted.found(".env") == [(".env", 1, None, "active")]
    assert planted.found(".env.d") == [(".env.d/deep/x", 1, None, "active")]


def test_an_ignored_file_that_is_tracked_is_not_left_out(planted: Planted) -> None:
    planted.commit(".env", f"KEY={planted.prod}\n")
    assert planted.found() == [(".env", 1, None, "active")]


def test_outside_of_a_repository_every_file_is_looked_into(planted: Planted) -> None:
    plain = planted.sandbox.root / "plain"
    (plain / "deep").mkdir(parents=True)
    (plain / "deep/x").write_text(planted.prod)
    (plain / ".gitignore").write_text("deep\n")
    assert planted.found(plain) == [(str(plain / "deep/x"), 1, None, "active")]


def test_a_repository_below_a_plain_folder_keeps_its_rules(planted: Planted) -> None:
    planted.write(".env", planted.prod)
    planted.write("tracked", planted.old)
    assert planted.found("..", code=0) == [(f"../{planted.sandbox.cwd.name}/tracked", 1, None, "revoked")]


def test_submodules_nested_repositories_and_work_trees_are_looked_into(planted: Planted) -> None:
    other = planted.sandbox.root / "other"
    planted.sandbox.git("init", "--quiet", str(other))
    (other / "lib.py").write_text(f"K = '{planted.prod}'\n")
    planted.sandbox.git("-C", str(other), "add", ".")
    planted.sandbox.git("-C", str(other), "commit", "--quiet", "--message=x")
    planted.sandbox.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "vendor/lib")
    planted.sandbox.git("clone", "--quiet", str(other), "nested")
    planted.sandbox.git("worktree", "add", "--quiet", "../linked")
    (planted.sandbox.root / "linked/x").write_text(planted.prod)
    assert planted.found() == [("nested/lib.py", 1, None, "active"), ("vendor/lib/lib.py", 1, None, "active")]
    assert planted.found("../linked") == [("../linked/x", 1, None, "active")]


def test_a_large_binary_file_is_searched_to_its_end(planted: Planted) -> None:
    file = planted.write("big.bin", b"")
    with file.open("wb") as big:
        for _ in range(100):
            big.write(os.urandom(1 << 10) + b"\0" * ((1 << 20) - (1 << 10)))
        big.write(b"\n\x00tail" + planted.prod.encode() + b"\x00")
    (found,) = planted.found()
    assert (found[0], found[3]) == ("big.bin", "active")


@pytest.mark.parametrize("shift", [-95, -48, -47, -3, -1, 0, 1])
@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_a_key_that_lies_across_a_chunk_is_found_once(planted: Planted, encoding: str, shift: int) -> None:
    from routic_cli.scanning.find import CHUNK

    planted.write("x", b"." * (CHUNK + shift) + planted.prod.encode(encoding) + b"." * 100)
    assert planted.found() == [("x", 1, None, "active")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_a_key_is_found_in_whatever_an_editor_of_windows_writes(planted: Planted, encoding: str) -> None:
    planted.write("notes.txt", f"first\r\nKEY={planted.prod}\r\n".encode(encoding))
    assert planted.found() == [("notes.txt", 2, None, "active")]


def test_two_keys_on_a_line_are_two(planted: Planted) -> None:
    planted.write("x", f"\n{planted.prod},{planted.old};{planted.prod}\n")
    found = planted.found()
    assert found == [("x", 2, None, "active"), ("x", 2, None, "active"), ("x", 2, None, "revoked")]


def test_what_only_resembles_a_key_is_not_told(planted: Planted) -> None:
    wrong = planted.prod[:-1] + ("0" if planted.prod[-1] != "0" else "1")
    body = "sk-" + "A" * 39
    longer = body + "B" + check_characters(body)  # 49 characters
    planted.write("x", f"{wrong} {longer} {planted.prod[:-1]} {'sk-' + 'a' * 45} {planted.prod.lower()}\n")
    assert planted.found(code=0) == []


def test_what_stands_wall_to_wall_with_a_key_does_not_hide_it(planted: Planted) -> None:
    planted.write("table.db", f"prodtask-{planted.prod}2026".encode())
    assert planted.found() == [("table.db", 1, None, "active")]


def test_links_are_not_followed_and_loops_end(planted: Planted) -> None:
    outside = planted.sandbox.root / "outside"
    outside.mkdir()
    (outside / "x").write_text(planted.prod)
    (planted.top / "to-folder").symlink_to(outside)
    (planted.top / "to-file").symlink_to(outside / "x")
    (planted.top / "loop").symlink_to(".")
    (planted.top / "self").symlink_to("self")
    assert planted.found(code=0) == planted.found("--no-ignore", code=0) == []
    assert planted.found("to-file") == [("to-file", 1, None, "active")]


def test_nothing_waits_for_what_is_no_file(planted: Planted) -> None:
    os.mkfifo(planted.top / "pipe")
    planted.write("x", planted.prod)
    assert planted.found("--no-ignore") == [("x", 1, None, "active")]


def test_names_that_are_no_text_or_hold_line_breaks_are_told_on_one_line(planted: Planted) -> None:
    for name in (b"caf\xe9", b"a\nb", b"\x1b[2J"):
        (planted.top / os.fsdecode(name)).write_text(planted.prod)
    done = planted.scan(code=9)
    assert len(done.out.splitlines()) == 3
    assert "a\\nb:1" in done.out
    assert "\x1b" not in done.out
    assert {os.fsencode(name or "") for name, *_ in planted.found()} == {b"caf\xe9", b"a\nb", b"\x1b[2J"}


def test_a_key_in_a_name_is_found_and_the_name_masked(planted: Planted) -> None:
    planted.write(f"backup-{planted.prod}.txt", "nothing\n")
    for form in ("table", "json", "sarif", "github"):
        done = planted.scan("--format", form, code=9)
        assert "backup-sk-" in done.out.replace("%2F", "/")


def test_a_file_that_cannot_be_read_is_told_and_is_no_success(planted: Planted) -> None:
    file = planted.write("locked", "x\n")
    through = ("strace", "-f", "-qq", "-o", "/dev/null", "-P", str(file), "-e", "inject=openat:error=EACCES")
    relative = (*through[:6], "locked", *through[7:])
    done = planted.scan(code=8, through=relative)
    assert "locked could not be read: Permission denied" in done.err
    assert "1 thing could not be scanned" in done.err
    planted.write("leak", planted.prod)
    assert planted.scan(code=9, through=relative).out.startswith("leak:1\t")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository away")
def test_where_git_does_not_answer_everything_is_scanned_and_that_is_said(planted: Planted) -> None:
    planted.write(".env", planted.prod)
    os.chown(planted.top / ".git", 12345, 12345)
    os.chown(planted.top, 12345, 12345)
    done = planted.scan(code=9)
    assert done.out.startswith(".env:1\t")
    assert "git config --global --add safe.directory" in done.err


def test_a_pipe_that_is_named_is_read(planted: Planted) -> None:
    planted.write("x", f"one\n{planted.prod}\n")
    for command in ("cat x | routic scan /dev/stdin", "routic scan <(cat x)", "mkfifo p; cat x > p & routic scan p"):
        done = planted.sandbox.shell(f"exec bash -c {shlex.quote(command)}")
        assert done.code == 9, done.err
        assert done.out.split("\t")[0].endswith(":2")


@pytest.mark.parametrize("name", ["gone", "self", "/dev/null", "/dev/zero"])
def test_what_is_named_and_cannot_be_read_is_no_success(planted: Planted, name: str) -> None:
    (planted.top / "gone").symlink_to("nowhere")
    (planted.top / "self").symlink_to("self")
    done = planted.scan(name, code=8)
    assert f"{name} could not be read: " in done.err
    assert "No key" not in done.err
