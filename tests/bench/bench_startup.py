"""`python -m tests.bench.bench_startup`: what a shell waits for, beside a bare interpreter, a bare Typer, and gh."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.timing import quickest_of_each, report
from tests.support.sandbox import ROUTIC, Sandbox

_RUNS = 15
_KEYS = 20


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder), measured=False)
        for n in range(_KEYS):
            sandbox.ok("keys", "create", "--name", f"key-{n}")
        sandbox.ok("keys", "create", "--name", "placed", "--env-file", ".env")
        commands: dict[str, list[str | Path]] = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -c 'import typer'": [sys.executable, "-c", "import typer"],
            "python -c 'import sqlite3'": [sys.executable, "-c", "import sqlite3"],
            "routic --version": [ROUTIC, "--version"],
            "routic --help": [ROUTIC, "--help"],
            "routic keys list": [ROUTIC, "keys", "list"],
            "routic keys list --json": [ROUTIC, "keys", "list", "--json"],
            "routic keys show": [ROUTIC, "keys", "show", "key-1"],
            "routic export": [ROUTIC, "export", "placed"],
        }
        gh = shutil.which("gh")
        if gh:  # a compiled tool that reads its configuration: what a shell's start-up file may cost
            commands["gh config list"] = [gh, "config", "list"]
        best = quickest_of_each(commands, runs=_RUNS, env=sandbox.environ, cwd=sandbox.cwd)
    report(f"Start-up, the quickest of {_RUNS} runs, with {_KEYS} keys", best, beside="python -c pass")


if __name__ == "__main__":
    main()
