"""A secret that nobody takes from standard output belongs to no active key."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import termios
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from routic_cli.delivery.stdout import StdoutSink
from routic_cli.domain.errors import DeliveryError, DeliveryTimeoutError
from routic_cli.domain.keys import DEFAULT_SCOPES, KeyTraits
from routic_cli.domain.minting import mint_key_id
from routic_cli.domain.secret import Secret
from routic_cli.session import Session
from routic_cli.workflows.issue import create_key
from tests.support.ground import active_keys, sha256
from tests.support.promises import CREATE, Scene
from tests.support.sandbox import DEADLINE, SECRET, Done
from tests.support.terminal import Terminal

COMMAND: Final = " ".join(("routic", *CREATE))


def shell(scene: Scene, script: str) -> Done:
    """Run a pipeline; the code is that of its first command."""
    return scene.sandbox.shell(f"{script}; exit ${{PIPESTATUS[0]}}")


@pytest.mark.parametrize(
    "destination",
    [">/dev/full", ">/dev/null", ">&-", "1</dev/zero", "1<app.py", ">&- <&-", ">&- 2>&1"],
    ids=[
        "full device",
        "null device",
        "closed",
        "zero device, read only",
        "file, read only",
        "stdin too",
        "stderr too",
    ],
)
@pytest.mark.parametrize("more", ["", "--json", "--env-file .env --show"])
def test_a_standard_output_that_keeps_nothing_gets_no_key(scene: Scene, destination: str, more: str) -> None:
    done = shell(scene, f"{COMMAND} {more} {destination}")
    if "2>&1" in destination:
        done = Done(done.code, "", "No key was created, and nobody can be told")
    scene.assert_untouched(done)


@pytest.mark.parametrize("redirection", ["<&-", "2>&-", "<&- 2>&-", "2>/dev/full"])
def test_other_streams_may_be_closed(scene: Scene, redirection: str) -> None:
    done = shell(scene, f"{COMMAND} {redirection}")
    scene.assert_promises(done)
    assert sha256(done.secret) == scene.workers()[0].sha256


@pytest.mark.parametrize("redirection", [">&-", ">/dev/null", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_into_a_file_a_key_is_delivered_whatever_becomes_of_the_talk(scene: Scene, redirection: str) -> None:
    done = shell(scene, f"{COMMAND} --env-file .env {redirection}")
    assert done.code == 0
    scene.assert_promises(done)
    scene.assert_mended(done)


def test_no_file_that_routic_opens_becomes_a_closed_standard_stream(scene: Scene) -> None:
    """Else the store would be the next descriptor, and be written over with talk or data."""
    shell(scene, f"{COMMAND} --env-file .env <&- >&- 2>&-")
    shell(scene, "routic keys list --json <&- >&- 2>&-")
    assert scene.sandbox.ok("keys", "list", "--fields", "name").data["data"] == [{"name": "other"}, {"name": "worker"}]


@pytest.mark.parametrize("reader", ["true", "head -c 5", "head -c 47", "dd bs=1 count=1 status=none", "exec sleep 0.3"])
def test_a_reader_that_goes_away_before_it_has_read_all_gets_no_key(scene: Scene, reader: str) -> None:
    done = shell(scene, f"{COMMAND} | {reader}")
    assert done.code == 1
    assert "the reader of standard output has gone" in done.err.lower()
    scene.assert_untouched(Done(done.code, "", done.err))


@pytest.mark.parametrize("reader", ["cat", "head -n 1", "(sleep 0.3; cat)", "tr -d a | cat >/dev/null", "cat | cat"])
def test_a_reader_that_reads_all_gets_a_key_however_slowly(scene: Scene, reader: str) -> None:
    done = shell(scene, f"{COMMAND} | {reader}")
    assert (done.code, len(scene.workers())) == (0, 1)


def test_a_command_substitution_gets_the_key(scene: Scene) -> None:
    done = scene.sandbox.shell(f'KEY=$({COMMAND} --quiet) && printf %s "$KEY" | routic keys verify --fields status')
    assert done.out == '{"status":"active"}\n'


def test_into_a_pipe_that_was_full_the_secret_goes_once_there_is_room(scene: Scene) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    process = scene.sandbox.start(*CREATE, stdout=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        received = pipe.read()
    _, err = process.communicate(timeout=DEADLINE)
    done = Done(process.returncode, received.lstrip(b"x").decode(), err.decode())
    assert (done.code, received.count(b"x" * 4096)) == (0, 1)
    assert sha256(done.secret) == scene.workers()[0].sha256


@pytest.fixture
def unread(scene: Scene) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A creation that has written its secret into a pipe that nobody reads, and waits; the pipe's read end."""
    reading, writing = os.pipe()
    process = scene.sandbox.start(*CREATE, stdout=writing, preexec_fn=_restore_interrupts)
    os.close(writing)
    assert select.select([reading], [], [], DEADLINE)[0]
    assert process.poll() is None
    yield process, reading
    process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    os.close(reading)


def _restore_interrupts() -> None:
    """A test run in the background has SIGINT ignored, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_while_nobody_has_read_the_secret_the_key_is_not_active(
    scene: Scene, unread: tuple[subprocess.Popen[bytes], int]
) -> None:
    process, reading = unread
    assert scene.workers() == []
    data = os.read(reading, 4096)
    _, err = process.communicate(timeout=DEADLINE)
    done = Done(process.returncode, data.decode(), err.decode())
    assert done.code == 0
    assert sha256(done.secret) == scene.workers()[0].sha256


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_nobody_reads_ends_it_and_calls_the_secret_dead(
    scene: Scene, unread: tuple[subprocess.Popen[bytes], int], number: signal.Signals
) -> None:
    process, reading = unread
    process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE)
    done = Done(process.returncode, "", err.decode())
    assert f"Interrupted by {number.name}" in done.err
    assert "Discard this key" in done.err
    (secret,) = SECRET.findall(os.read(reading, 4096).decode())
    scene.assert_untouched(done, code=130)
    assert scene.sandbox.run("keys", "verify", stdin=secret).code in {3, 9}


def test_killed_while_nobody_reads_it_leaves_no_key(scene: Scene, unread: tuple[subprocess.Popen[bytes], int]) -> None:
    process, _ = unread
    process.kill()
    process.wait()
    assert scene.workers() == []
    scene.assert_mended(Done(-9, "", ""))


def test_a_reader_that_leaves_what_was_written_unread_gets_no_key(
    scene: Scene, unread: tuple[subprocess.Popen[bytes], int]
) -> None:
    process, reading = unread
    assert len(os.read(reading, 40)) == 40
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, reading)  # closes the pipe's only read end, and keeps the number for the fixture
    os.close(nowhere)
    _, err = process.communicate(timeout=DEADLINE)
    scene.assert_untouched(Done(process.returncode, "", err.decode()))


def test_a_socket_whose_reader_goes_away_gets_no_key(scene: Scene) -> None:
    """Node gives its children sockets where others give pipes."""
    ours, theirs = socket.socketpair()
    process = scene.sandbox.start(*CREATE, stdout=theirs.fileno())
    theirs.close()
    assert select.select([ours], [], [], DEADLINE)[0]
    ours.close()
    _, err = process.communicate(timeout=DEADLINE)
    scene.assert_untouched(Done(process.returncode, "", err.decode()))


def test_a_socket_that_is_read_gets_the_key(scene: Scene) -> None:
    ours, theirs = socket.socketpair()
    process = scene.sandbox.start(*CREATE, stdout=theirs.fileno())
    theirs.close()
    with closing(ours), ours.makefile("rb") as stream:
        received = stream.read().decode()
    process.communicate(timeout=DEADLINE)
    assert [key.sha256 for key in scene.workers()] == [sha256(received.strip())]


@pytest.fixture
def session(scene: Scene) -> Iterator[Session]:
    session = Session(environ=scene.sandbox.environ)
    yield session
    session.close()


@pytest.mark.parametrize("filled", [True, False], ids=["full pipe", "pipe never read"])
def test_a_pipe_that_nobody_reads_ends_the_delivery_in_time_and_the_key_is_dead(
    scene: Scene, session: Session, filled: bool
) -> None:
    reading, writing = os.pipe()
    if filled:
        os.write(writing, b"x" * fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ))
    sink = StdoutSink(lambda secret: secret.reveal() + "\n", descriptor=writing, timeout=0.3)
    sink.preflight()
    key_id = mint_key_id()
    with pytest.raises(DeliveryTimeoutError) as raised:
        create_key(key_id, KeyTraits("worker", {}, DEFAULT_SCOPES, None, None), [sink], session.desk)
    os.close(writing)
    os.close(reading)
    assert "No key was created" in raised.value.not_done
    assert scene.workers() == []
    assert scene.sandbox.run("keys", "show", key_id).code == 3


def test_a_terminal_that_is_stopped_does_not_hang_routic_for_ever(scene: Scene, session: Session) -> None:
    """Ctrl-S: the terminal takes nothing more, until somebody presses Ctrl-Q."""
    ours, theirs = os.openpty()
    termios.tcflow(theirs, termios.TCOOFF)
    sink = StdoutSink(lambda secret: secret.reveal() + "\n", descriptor=theirs, timeout=0.3)
    with pytest.raises(DeliveryError):
        sink.prepare(Secret("sk-" + "0" * 45))
    termios.tcflow(theirs, termios.TCOON)
    os.close(theirs)
    os.close(ours)


def test_ctrl_c_at_a_terminal_after_the_secret_was_shown_cannot_be_half_a_success(scene: Scene) -> None:
    with Terminal(scene.sandbox, *CREATE, together=True) as terminal:
        terminal.expect("sk-")
        terminal.type("\x03")
        done = terminal.finish()
    scene.assert_promises(Done(done.code, done.out, done.err))
    alive = [key.name for key in active_keys(scene.sandbox.key_store)]
    assert alive == (["other", "worker"] if done.code in {0, -signal.SIGINT} else ["other"])


def test_a_secret_redirected_into_a_file_is_on_the_disk_whole(scene: Scene) -> None:
    done = shell(scene, f"{COMMAND} >key.txt")
    assert done.code == 0
    assert sha256(Path(scene.sandbox.cwd / "key.txt").read_text().strip()) == scene.workers()[0].sha256
