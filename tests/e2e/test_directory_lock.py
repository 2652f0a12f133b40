"""The lock that keeps two routic processes from writing into one directory at the same time."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import routic_cli
from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.delivery.locks import lock_directory
from routic_cli.delivery.verdict import SafetyVerdict
from routic_cli.domain.errors import DeliveryError, DeliveryTimeoutError
from routic_cli.domain.secret import Secret

ACTOR = Path(__file__).with_name("env_file_actor.py")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(routic_cli.__file__).parents[1])}
NOT_LONG = 0.05


@contextmanager
def held_by_another_process(directory: Path) -> Iterator[None]:
    command = [sys.executable, str(ACTOR), "hold", str(directory)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b'"held"\n'
        yield
        other.communicate()


def is_free(directory: Path) -> bool:
    """Whether a stranger would get the lock: another open file description counts as one."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def test_another_process_keeps_us_out_until_it_is_done(tmp_path: Path) -> None:
    with held_by_another_process(tmp_path):
        with pytest.raises(DeliveryTimeoutError):
            lock_directory(tmp_path, timeout=NOT_LONG)
        lock_directory(tmp_path.parent, timeout=NOT_LONG).release()
    lock_directory(tmp_path, timeout=NOT_LONG).release()


def test_a_delivery_ends_with_a_timeout_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    sink = EnvFileSink(
        path, "K", judge=lambda place, _: SafetyVerdict(place, ()), staging_token="token", lock_timeout=NOT_LONG
    )
    sink.preflight()
    record = sink.record()
    with held_by_another_process(tmp_path):
        with pytest.raises(DeliveryTimeoutError) as caught:
            sink.prepare(Secret("sk-secret"))
        assert caught.value.not_done == f"No key was created and {path} has not been changed"
        assert list(tmp_path.iterdir()) == []
        # Nor does recovery take away what a living process has prepared.
        Path(record["staged"]).write_bytes(b"K=its\n")
        with pytest.raises(DeliveryTimeoutError):
            EnvFileSink.from_record(record, lock_timeout=NOT_LONG).undo()
        assert Path(record["staged"]).read_bytes() == b"K=its\n"
    EnvFileSink.from_record(record, lock_timeout=NOT_LONG).undo()
    assert list(tmp_path.iterdir()) == []


def test_one_process_may_lock_again_and_the_last_release_counts(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    first = lock_directory(tmp_path)
    with lock_directory(tmp_path / "link", timeout=NOT_LONG):
        first.release()
        first.release()
        assert not is_free(tmp_path)
    assert is_free(tmp_path)


def test_a_forked_child_is_another_process(tmp_path: Path) -> None:
    command = [sys.executable, str(ACTOR), "fork", str(tmp_path)]
    assert subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True).stdout == b"false\n"


def test_nothing_is_left_in_the_directory(tmp_path: Path) -> None:
    with lock_directory(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_directory_replaced_while_we_waited_is_locked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    place.mkdir()
    flock, calls = fcntl.flock, []

    def replaced(fd: int, operation: int) -> None:
        flock(fd, operation)
        calls.append(fd)
        if len(calls) == 1:
            place.rename(tmp_path / "old")
            place.mkdir()

    monkeypatch.setattr(fcntl, "flock", replaced)
    with lock_directory(place):
        monkeypatch.undo()
        assert not is_free(place)
        assert is_free(tmp_path / "old")


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EBADF, errno.ENOLCK, errno.EINVAL])
def test_where_directories_cannot_be_locked_a_private_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    flock = fcntl.flock

    def no_directories(fd: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(number, os.strerror(number))
        flock(fd, operation)

    place, state = tmp_path / "place", tmp_path / "state"
    place.mkdir()
    monkeypatch.setattr(fcntl, "flock", no_directories)
    with pytest.raises(DeliveryError):
        lock_directory(place)
    with lock_directory(place, state_directory=state):
        (file,) = (state / "locks").iterdir()
        assert not is_free(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert is_free(file)
    assert list(place.iterdir()) == []


def test_other_errors_are_not_taken_for_a_file_system_without_locks(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lock_directory(tmp_path / "gone", state_directory=tmp_path)
