"""What Prometheus reads: totals that are counters, and the numbers of all workers, dead ones too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from routic_cli.domain.usage import Outcome
from routic_cli.server.metrics import FOLDER, Metrics
from routic_cli.server.shared_numbers import SharedNumbers

_WORKER = """
import sys
from routic_cli.domain.usage import Outcome
from routic_cli.server.metrics import Metrics

class Queue:
    dropped, written, queued = 2, 30, 400

metrics = Metrics()
metrics.watch("routic_things", "things", Queue())
metrics.decided(Outcome.ALLOWED, 1_000_000_000)
metrics.render()
print("ready", flush=True)
sys.stdin.readline()
"""


class Queue:
    dropped, written, queued = 1, 5, 7


def samples(metrics: Metrics) -> dict[str, float]:
    text = metrics.render()[0].decode()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in text.splitlines()) if name[0] != "#"
    }


def test_totals_are_counters_and_what_waits_is_a_gauge() -> None:
    metrics = Metrics()
    metrics.watch("routic_things", "things", Queue())
    metrics.total("routic_deaths", "Deaths", lambda: 3)

    text = metrics.render()[0].decode()

    for name, kind in (
        ("routic_auth_decisions_total", "counter"),
        ("routic_rate_limits_skipped_total", "counter"),
        ("routic_things_dropped_total", "counter"),
        ("routic_things_written_total", "counter"),
        ("routic_deaths_total", "counter"),
        ("routic_things_queued", "gauge"),
        ("routic_auth_duration_seconds", "histogram"),
    ):
        assert f"# TYPE {name} {kind}\n" in text
    found = samples(metrics)
    assert found["routic_deaths_total"] == 3
    assert [found[f"routic_things_{name}"] for name in ("dropped_total", "written_total", "queued")] == [1, 5, 7]


def test_decisions_are_counted_by_outcome_and_by_how_long_they_took() -> None:
    metrics = Metrics()
    for nanoseconds in (50_000, 50_001, 3_000_000_000):
        metrics.decided(Outcome.ALLOWED, nanoseconds)
    metrics.decided(Outcome.REVOKED, 1)
    metrics.limit_skipped()

    found = samples(metrics)

    assert found['routic_auth_decisions_total{outcome="allowed"}'] == 3
    assert found['routic_auth_decisions_total{outcome="revoked"}'] == 1
    assert found['routic_auth_decisions_total{outcome="missing"}'] == 0
    prefix = "routic_auth_duration_seconds"
    assert [found[f'{prefix}_bucket{{le="{bound}"}}'] for bound in ("5e-05", "0.0001", "2.5", "+Inf")] == [2, 3, 3, 4]
    assert found[f"{prefix}_count"] == 4
    assert found[f"{prefix}_sum"] == pytest.approx(3.000100002)
    assert found["routic_rate_limits_skipped_total"] == 1


def test_workers_are_summed_and_a_dead_one_still_counts_but_has_no_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", _WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        metrics = Metrics()
        metrics.watch("routic_things", "things", Queue())
        metrics.decided(Outcome.ALLOWED, 1)
        both = samples(metrics)
        worker.kill()
    for path in tmp_path.glob(f"{worker.pid}-*"):  # as old as it will be soon
        path.write_bytes(bytes(8) + path.read_bytes()[8:])

    assert both['routic_auth_decisions_total{outcome="allowed"}'] == 2
    names = [f"routic_things_{name}" for name in ("dropped_total", "written_total", "queued")]
    assert [both[name] for name in names] == [3, 35, 407]
    assert [samples(metrics)[name] for name in names] == [3, 35, 7]


def test_numbers_of_another_shape_are_not_added(tmp_path: Path) -> None:
    numbers = SharedNumbers(3, tmp_path)
    numbers.own[2] = 5
    (tmp_path / "1-other.numbers").write_bytes(bytes(8))

    assert [(lives, list(own)) for lives, own in numbers.of_all()] == [(True, [0, 0, 5])]
