"""`python -m tests`: everything that has to hold before a change lands, in the order of how soon it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_TOOLS = Path(sys.executable).parent

_STEPS = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("types", ["mypy"]),
    ("architecture", ["lint-imports", "--no-logo"]),
    ("tests", ["pytest", "--numprocesses=auto", "--cov", "--cov-report=term"]),
)


def main(arguments: list[str]) -> int:
    """Run every step, or those named; the number of the first that failed, or 0. What follows `--` goes to pytest."""
    names = arguments[: arguments.index("--")] if "--" in arguments else arguments
    more = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    for number, (name, command) in enumerate(_STEPS, start=1):
        if names and name not in names:
            continue
        print(f"== {name}", flush=True)
        extra = more if name == "tests" else []
        if subprocess.run([_TOOLS / command[0], *command[1:], *extra], cwd=_ROOT, check=False).returncode:
            print(f"== {name} failed", flush=True)
            return number
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
