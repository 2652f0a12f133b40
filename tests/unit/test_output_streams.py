"""What a stream can show, and that writing to it never fails in silence."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from routic_cli.domain.errors import RouticError
from routic_cli.output import streams
from routic_cli.output.console import Console, ReaderGoneError
from routic_cli.output.streams import Stream


@pytest.fixture
def terminal() -> Iterator[int]:
    master, slave = pty.openpty()
    yield slave
    os.close(slave)
    os.close(master)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


@pytest.mark.parametrize(
    ("env", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": ""}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "0"}, False, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"CLICOLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "xterm-256color"}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "false"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, True, False),
        ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
    ids=str,
)
def test_who_decides_about_colour(
    env: dict[str, str], on_terminal: bool, in_pipe: bool, terminal: int, pipe: tuple[int, int]
) -> None:
    assert Stream(terminal, env).look.colour is on_terminal
    assert Stream(pipe[1], env).look.colour is in_pipe


@pytest.mark.parametrize(
    ("env", "encoding", "can"),
    [
        ({}, "utf-8", True),
        ({}, "ascii", False),
        ({}, "latin-1", False),
        ({"TERM": "dumb"}, "utf-8", False),
    ],
)
def test_symbols_only_where_they_can_be_shown(env: dict[str, str], encoding: str, can: bool, terminal: int) -> None:
    assert Stream(terminal, env, encoding=encoding).look.unicode is can


@pytest.mark.parametrize(
    ("columns", "width"), [("100", 100), ("", 47), ("0", 47), ("-5", 47), ("wide", 47), ("1e3", 47), ("²", 47)]
)
def test_columns_counts_when_it_is_a_positive_number(columns: str, width: int, terminal: int) -> None:
    import termios

    termios.tcsetwinsize(terminal, (24, 47))

    assert Stream(terminal, {"COLUMNS": columns}).look.width == width


def test_what_no_encoding_of_the_terminal_can_show_is_escaped(terminal: int) -> None:
    stream = Stream(terminal, {}, encoding="latin-1")

    assert stream._encoded("é数") == "é\\u6570".encode("latin-1")


def test_file_names_that_are_not_text_go_into_a_pipe_as_the_bytes_they_are(pipe: tuple[int, int]) -> None:
    Stream(pipe[1], {}, encoding="utf-8").write(os.fsdecode(b"caf\xe9.env\n"))

    assert os.read(pipe[0], 100) == b"caf\xe9.env\n"


def test_a_surrogate_that_stands_for_no_byte_is_escaped(pipe: tuple[int, int]) -> None:
    Stream(pipe[1], {}, encoding="utf-8").write("\ud800")

    assert os.read(pipe[0], 100) == b"\\ud800"


def test_a_text_larger_than_the_pipe_arrives_whole(pipe: tuple[int, int]) -> None:
    text = "0123456789" * 50_000
    received = bytearray()

    def drain() -> None:
        while chunk := os.read(pipe[0], 65536):
            received.extend(chunk)

    reader = threading.Thread(target=drain)
    reader.start()
    Console(stdout_fd=pipe[1]).data(text)
    os.close(pipe[1])
    reader.join()

    assert received.decode() == text


def test_a_full_pipe_that_does_not_block_is_waited_for(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    text = "0123456789" * 50_000
    received = bytearray()
    wait = streams._wait_until_writable

    def read_some_and_wait(fd: int) -> None:
        received.extend(os.read(pipe[0], 65536))
        wait(fd)

    monkeypatch.setattr(streams, "_wait_until_writable", read_some_and_wait)
    os.set_blocking(pipe[1], False)
    Console(stdout_fd=pipe[1]).data(text)
    received.extend(os.read(pipe[0], 65536))

    assert received.decode() == text


def test_data_in_a_pipe_is_utf_8_whatever_the_locale() -> None:
    answer = _run("Console().data('数据…')", env={"PYTHONIOENCODING": "ascii"})

    assert answer.stdout == "数据…".encode()


def test_a_full_disk_is_an_error() -> None:
    with Path("/dev/full").open("w") as full, pytest.raises(RouticError) as caught:
        Console(stdout_fd=full.fileno()).data("key\n")

    assert caught.value.what == "The output could not be written"
    assert caught.value.why == "No space left on device"


def test_a_reader_that_has_gone_is_a_broken_pipe(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])

    with pytest.raises(ReaderGoneError):
        Console(stdout_fd=pipe[1]).data("key\n")


_TRY_TO_WRITE = """
try:
    Console().data("key\\n")
except RouticError as error:
    sys.exit(error.why)
"""


def test_data_into_a_closed_stdout_is_an_error_and_no_file_is_written_over(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.write_text("precious")

    answer = _run(f"os.open({str(store)!r}, os.O_RDWR){_TRY_TO_WRITE}", redirect=">&-")

    assert answer.stderr.decode().strip() == "Standard output is closed"
    assert answer.returncode == 1
    assert store.read_text() == "precious"


def test_talk_into_a_closed_stderr_does_not_stop_the_work(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.write_text("precious")

    answer = _run(
        f"os.open({str(store)!r}, os.O_RDWR)\nConsole().warn('careful')\nConsole().data('x')", redirect="2>&-"
    )

    assert (answer.returncode, answer.stdout) == (0, b"x")
    assert store.read_text() == "precious"


def test_who_redirects_stdout_in_this_process_gets_what_is_printed() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        console = Console()
        console.data("data")
        console.success("done")

    assert out.getvalue() == "data"
    assert "done" in err.getvalue()


def _run(code: str, *, redirect: str = "", env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    imports = (
        "import os, sys\n"
        "from routic_cli.domain.errors import RouticError\n"
        "from routic_cli.output.console import Console\n"
    )
    command = ["sh", "-c", f'exec "$0" -c "$1" {redirect}', sys.executable, imports + code]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **(env or {})})
