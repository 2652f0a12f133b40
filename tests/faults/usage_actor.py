"""One server process among several that record usage: `python -m tests.faults.usage_actor VERB PATH FIRST COUNT`.

Says `ready` when it is loaded, and begins when it is told to by a line on standard input.
"""

from __future__ import annotations

import sys
from pathlib import Path

from routic_cli.domain.usage import UsageEvent
from routic_cli.server.recorder import Recorder
from routic_cli.server.writer_process import WriterProcess, send
from routic_cli.store.usage import UsageStore


def event(n: int) -> UsageEvent:
    return UsageEvent(n, "allowed", "GET", "/v1/models", 200, "192.0.2.1", f"agent {n % 50}", f"req_{n}")


def main(verb: str, path: Path, first: int, count: int) -> None:
    _tell("ready")
    sys.stdin.readline()
    events = [event(n) for n in range(first, first + count)]
    if verb == "record":
        recorder = Recorder(path)
        recorder.start()
        for each in events:
            recorder.record(each)
        sys.exit(f"{lost} were lost" if (lost := recorder.close(50) + recorder.dropped) else 0)
    if verb == "hold":
        _hold(path, events)
    store = UsageStore(path)
    store.append(events)
    _tell("written")
    sys.stdin.readline()  # to be killed here


def _hold(path: Path, events: list[UsageEvent]) -> None:
    """Give a writer a batch, and do not wait for its answer."""
    writer = WriterProcess(path)
    process = writer.start()
    assert process.stdin is not None
    send(process.stdin, [tuple(each) for each in events])
    _tell(str(process.pid))
    sys.stdin.readline()  # to be killed here


def _tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
