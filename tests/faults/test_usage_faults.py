"""Several workers, a killed one, a locked log: what was recorded is in the log, and what could not be is counted."""

from __future__ import annotations

import sqlite3  # noqa: TID253  # the other process that has the log locked
import threading
from contextlib import closing
from pathlib import Path

import pytest

from routic_cli.server.recorder import Recorder
from routic_cli.store import connection
from routic_cli.store.usage import UsageStore
from tests.faults.usage_actor import event
from tests.support.actors import actors, begin, expect, together
from tests.support.usage_events import all_events

ACTOR = "tests.faults.usage_actor"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "usage.db"


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


def test_a_locked_log_loses_nothing_and_is_told_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.05)
    with closing(UsageStore(path)) as store:
        store.append([event(0)])
    told: list[str] = []
    heard = threading.Event()

    def failed(error: Exception) -> None:
        told.append(type(error).__name__)
        heard.set()

    recorder = Recorder(path, failed=failed)
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
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT_SECONDS", 0.05)
    with closing(UsageStore(path)) as store:
        store.append([event(0)])
    recorder = Recorder(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        recorder.start()
        for n in range(1, 11):
            recorder.record(event(n))

        assert recorder.close(1) == 10

        other.execute("ROLLBACK")
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert '"event":"usage_not_written"' in said
    assert "is locked" in said
    assert times_in(path) == [0]
