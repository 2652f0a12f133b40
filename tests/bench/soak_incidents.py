"""Planted incidents in a million lines, from the log to the findings: `python -m tests.bench.soak_incidents`.

Takes some minutes, most of them to make the lines up. Ends with 1 when anything planted was missed, or anything else
was found.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.support.planted import EXPECTED, hunt, plant
from tests.support.sandbox import Sandbox


def main() -> int:
    """Plant, hunt, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder))
        logs = plant(sandbox, asked.lines, seed=asked.seed)
        begin = time.perf_counter()
        calls, found = hunt(sandbox, logs)
        print(f"{calls:,} calls read and audited in {time.perf_counter() - begin:.0f} s")
    for rule, name in found:
        print(f"  {rule}: {name or 'no key of ours'}" + ("" if (rule, name) in EXPECTED else "  NOT PLANTED"))
    missed = [each for each in EXPECTED if each not in found]
    print(f"{len(found)} found, {len(missed)} missed {missed or ''}")
    return int(found != EXPECTED)


if __name__ == "__main__":
    sys.exit(main())
