"""Several workers, a killed one, a locked log: what was recorded is in the log, and what could not be is counted."""

from __future__ import annotations

import os
import signal
import sqlite3  # noqa: TID253  # the other process that has the log locked
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from routic_cli.server.recorder import Recorder
from routic_cli.server.writer_process import WriterProcess
from routic_cli.store.usage import UsageStore
from tests.faults.usage_actor import event
from tests.support.actors import actors, begin, expect, together
from tests.support.usage_events import all_events

ACTOR = "tests.faults.usage_actor"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "usage.db"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], WriterProcess]:
    """A writer that does not wait for a lock."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return lambda path: WriterProcess(path, "tests.faults.hasty_writer")


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def times_in(path: Path) -> list[int]:
    with closing(UsageStore(path)) as store:
        return [each.time for each in all_events(store)]


def test_workers_that_record_at_once_lose_nothing(path: Path) -> None:
    complaints = together(ACTOR, *[("record", path, 5000 * n, 5000) for n in range(4)])

    assert complaints == [""] * 4
    times = times_in(path)
    assert sorted(times) == list(range(20_000))
    assert [time for time in times if time < 5000] == list(range(5000)), "in the order of each worker"


def test_what_is_written_survives_the_death_of_its_process(path: Path) -> None:
    with actors(ACTOR, ("append", path, 0, 3000)) as processes:
        begin(processes)
        expect(processes[0], "written")
        processes[0].kill()
        processes[0].wait()

    assert times_in(path) == list(range(3000))


def test_a_locked_log_loses_nothing_and_is_told_once(path: Path, hasty: Callable[[Path], WriterProcess]) -> None:
    with closing(UsageStore(path)) as store:
        store.append([event(0)])
    told: list[str] = []
    heard = threading.Event()

    def failed(error: Exception) -> None:
        told.append(type(error).__name__)
        heard.set()

    recorder = Recorder(path, failed=failed, writer=hasty(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        recorder.start()
        for n in range(1, 5000):
            assert recorder.record(event(n))
        assert heard.wait(60)
        assert (recorder.written, recorder.queued, recorder.dropped) == (0, 4999, 0)
        other.execute("ROLLBACK")

    assert recorder.close(50) == 0
    assert times_in(path) == list(range(5000))
    assert told == ["StoreLockedError"]


def test_a_log_that_stays_locked_is_counted_when_the_time_is_up(
    path: Path, hasty: Callable[[Path], WriterProcess], capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(UsageStore(path)) as store:
        store.append([event(0)])
    recorder = Recorder(path, writer=hasty(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        recorder.start()
        for n in range(1, 11):
            recorder.record(event(n))

        assert recorder.close(1) == 10

        recorder._batcher._thread.join(50)  # its last attempt may have begun before the time was up
        assert recorder.close() == 10
        other.execute("ROLLBACK")
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert '"event":"usage_not_written"' in said
    assert "is locked" in said
    assert times_in(path) == [0]


def test_a_writer_that_was_killed_is_replaced_and_nothing_is_lost_or_counted_twice(path: Path) -> None:
    told: list[str] = []
    died = threading.Event()

    def failed(error: Exception) -> None:
        told.append(str(error))
        died.set()

    writer = WriterProcess(path)
    recorder = Recorder(path, failed=failed, writer=writer)
    recorder.record(event(0))
    recorder.start()
    wait_for(lambda: recorder.written == 1)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    for n in range(1, 5000):
        recorder.record(event(n))
    assert died.wait(60)

    assert recorder.close(50) == 0
    assert times_in(path) == list(range(5000))
    assert (recorder.written, recorder.dropped, recorder.deaths) == (5000, 0, 1)
    assert told == ["The process that writes the usage log has ended"]


def test_a_batch_whose_answer_was_lost_counts_once(path: Path) -> None:
    writer = WriterProcess(path)
    row = (*event(1)[:-1], 77)
    writer.append([row])
    writer.append([row])  # as the recorder does, that heard no answer to the first
    writer.close()

    assert times_in(path) == [1]


def test_the_writer_ends_after_its_server_was_killed_and_has_written_what_it_got(path: Path) -> None:
    with actors(ACTOR, ("hold", path, 0, 3000)) as processes:
        begin(processes)
        assert processes[0].stdout is not None
        pid = int(processes[0].stdout.readline())
        processes[0].kill()
        processes[0].wait()

    wait_for(lambda: not is_alive(pid))
    assert times_in(path) == list(range(3000))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_what_ends_the_server_does_not_end_its_writer(path: Path, number: signal.Signals) -> None:
    writer = WriterProcess(path)
    writer.append([tuple(event(1))])
    assert writer.pid is not None
    os.kill(writer.pid, number)

    writer.append([tuple(event(2))])

    writer.close()
    assert times_in(path) == [1, 2]
    assert writer.deaths == 0
