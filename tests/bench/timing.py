"""How long a command takes: the quickest of several runs, which is the one that was disturbed least."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def seconds(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> float:
    """One run, its output into nothing a terminal would show; it must succeed."""
    begin = time.perf_counter()
    subprocess.run(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - begin


def quickest_of_each(
    commands: Mapping[str, Sequence[str | Path]], *, runs: int, env: Mapping[str, str], cwd: Path
) -> dict[str, float]:
    """The quickest run of each command; they take turns, so that a busy moment strikes them all."""
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(runs):
        for name, command in commands.items():
            best[name] = min(best[name], seconds(command, env=env, cwd=cwd))
    return best


def report(title: str, best: Mapping[str, float], *, beside: str) -> None:
    """A line for each command, and how many times the one it is compared with it took."""
    print(title)
    for name, took in best.items():
        print(f"  {name:<34} {took * 1000:9.1f} ms   {took / best[beside]:6.2f} x {beside}")
