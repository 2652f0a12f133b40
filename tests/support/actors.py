"""Several processes of a test that begin at the same moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_DEADLINE = 60


@contextmanager
def actors(module: str, *argument_lists: Sequence[object]) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have said `ready` and wait for a line; none is left when the block ends."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in argument_lists
    ]
    try:
        for process in processes:
            expect(process, "ready")
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def begin(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Let them all go."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def expect(process: subprocess.Popen[str], word: str) -> None:
    """Wait for a word."""
    assert process.stdout is not None
    said = process.stdout.readline()
    assert said == f"{word}\n", said or process.communicate(timeout=_DEADLINE)[1]


def finish(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """What each had to complain of, once all have ended; all empty when each succeeded."""
    complaints = []
    for process in processes:
        _, complaint = process.communicate(timeout=_DEADLINE)
        complaints.append(complaint if process.returncode else "")
    return complaints


def together(module: str, *argument_lists: Sequence[object]) -> list[str]:
    """Run them at the same moment; their complaints."""
    with actors(module, *argument_lists) as processes:
        begin(processes)
        return finish(processes)
