"""`python -m tests.bench.bench_import [LINES]`: a large import, beside sqlite-utils inserting the same lines."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

from tests.bench.timing import report, seconds
from tests.support.keys import NOW, key_id
from tests.support.sandbox import ROUTIC, Sandbox

_LINES = 100_000
_RUNS = 3


def main(count: int) -> None:
    best: dict[str, float] = {}
    for _ in range(_RUNS):
        with tempfile.TemporaryDirectory() as folder:
            sandbox = Sandbox(Path(folder), measured=False)
            lines = sandbox.cwd / "keys.jsonl"
            _write(lines, count)
            commands: dict[str, list[str | Path]] = {
                "sqlite-utils insert --nl": [
                    ROUTIC.with_name("sqlite-utils"), "insert", "plain.db", "keys", lines, "--nl", "--pk", "id",
                ],
                "routic keys import --from": [ROUTIC, "keys", "import", "--from", lines],
                "the same import again": [ROUTIC, "keys", "import", "--from", lines],
            }  # fmt: skip
            for name, command in commands.items():
                took = seconds(command, env=sandbox.environ, cwd=sandbox.cwd)
                best[name] = min(best.get(name, took), took)
    report(f"Import of {count} keys, the quickest of {_RUNS} runs", best, beside="sqlite-utils insert --nl")


def _write(path: Path, count: int) -> None:
    with path.open("w") as file:
        for n in range(count):
            sha256 = hashlib.sha256(f"bench {n}".encode()).hexdigest()
            record = {
                "id": key_id(n),
                "name": f"service-{n}",
                "sha256": sha256,
                "hint": f"sk-{sha256[:4]}…{sha256[-4:]}",
                "tags": {"env": "prod", "team": f"team-{n % 40}"},
                "created_at": NOW - n,
            }
            file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _LINES)
