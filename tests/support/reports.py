"""The reports in tests/data/reports, and the keys that were planted in the repository that they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from routic_cli.scanning.reports.reader import read_report
from routic_cli.scanning.reports.report import Report

FOLDER: Final = Path(__file__).parents[1] / "data/reports"
REPOSITORY: Final = FOLDER / "repository"

CONFIG: Final = "sk-P4jXwEIXRBbPA9Jd38l1iwrMWyAxc2DhpvgRJKW1GiVff"
"""In `config.py`, line 4, and in `both.py`."""
OLD: Final = "sk-g6XWM2kdezGojNSIEmn6vDVMAxVYqY47wHxxbcV2usf3O"
"""In `old.env` of the first commit."""
FRONTEND: Final = "sk-1uACzwUBNzQuUNWcPrvmVjp3dhoSIL1cV0Wc26D1sIZJb"
"""In `frontend/src/app.js`, line 1."""
BOTH: Final = "sk-dsMhMYTj6g0OhLRbe2jMoSVTbJaPLWmWVMT8yRb3EUgOL"
"""In `both.py`, line 1."""
PLANTED: Final = {"config": CONFIG, "old": OLD, "frontend": FRONTEND, "both": BOTH}
OTHERS: Final = (
    "correct-horse-battery-7812",
    "ghp_R7dK2mVxQ9sLw4TzYb1NcE8HfJ0uGa3pXi5o",
    "AKIAZ3MSJV4WYQXR6TNB",
)
"""What is not ours."""


def data_of(name: str) -> bytes:
    """The bytes of a report."""
    return (FOLDER / name).read_bytes()


def read(data: bytes | str, *, chunk: int = 1 << 20) -> Report:
    """What a report says, read in blocks of this size."""
    raw = data.encode() if isinstance(data, str) else data
    return read_report((raw[at : at + chunk] for at in range(0, len(raw), chunk)), [REPOSITORY])
