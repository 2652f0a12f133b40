"""The commands that mend a file which cannot be opened or written: by what it is called, as each lies elsewhere.

The usage log follows the key store and cannot be named by `--store`; unlike keys, it can be made anew from what the
gateways have logged.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

BESIDE: Final = ("-journal", "-wal", "-shm")
"""What SQLite puts beside a file."""

_USAGE_LOG: Final = "usage log"
_MEGABYTE: Final = 1_000_000


def backup(path: Path, label: str) -> str:
    """Of a file that was ours: what to put in its place."""
    return start_over(path, label) or f"ls {shlex.quote(str(path.parent))}/*.bak, to put a backup in its place"


def other_file(path: Path, label: str) -> str:
    """Of a file that is not ours."""
    return start_over(path, label) or "routic --store PATH …, to name another file"


def start_over(path: Path, label: str) -> str:
    """Of the usage log: to begin a new one. Nothing for other files, which nothing can bring back.

    What SQLite left beside it goes with it: it would play back an old journal into the new file.
    """
    if label != _USAGE_LOG:
        return ""
    aside = f"{path}.bad"
    moves = [
        (str(path), aside),
        *((f"{path}{end}", f"{aside}{end}") for end in BESIDE if os.path.lexists(f"{path}{end}")),
    ]
    commands = " && ".join(f"mv {shlex.quote(each)} {shlex.quote(to)}" for each, to in moves)
    return f"{commands}, and routic usage import FILE for each log of a gateway: the keys are not concerned"


def room(path: Path) -> str:
    """Of a disk that is full: a change is first written down beside the file, at most once over."""
    size = -(-path.stat().st_size // _MEGABYTE) if path.exists() else 1
    folder = shlex.quote(str(path.parent))
    return f"df -h {folder}, and free {size} MB there: a change takes up to that while it is made"
