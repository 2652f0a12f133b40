"""`python -m tests.bench.bench_usage_import [LINES]`: a log of nginx, beside sqlite-utils inserting the same lines.

The second table is memory: the largest a process has been, for a log and for one of ten times as many lines.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.bench.timing import report, seconds
from tests.support.keys import NOW, new_key
from tests.support.sandbox import ROUTIC, Sandbox

_LINES: Final = 400_000
_RUNS: Final = 3
_KEYS: Final = 200
_PATHS: Final = ("/v1/chat/completions", "/v1/embeddings", "/v1/models", "/v1/responses")
_STATUSES: Final = (("200", "429", "500", "401"), (97, 1, 1, 1))


def main(count: int) -> None:
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "access.log"
        write_log(log, count)
        for run in range(_RUNS):
            sandbox = Sandbox(Path(folder) / str(run), measured=False)
            _register(sandbox)
            commands: dict[str, list[str | Path]] = {
                "sqlite-utils insert --nl": [
                    ROUTIC.with_name("sqlite-utils"), "insert", "plain.db", "events", log, "--nl",
                ],
                "routic usage import": [ROUTIC, "usage", "import", log],
                "the same import again": [ROUTIC, "usage", "import", log],
            }  # fmt: skip
            for name, command in commands.items():
                took = seconds(command, env=sandbox.environ, cwd=sandbox.cwd)
                best[name] = min(best.get(name, took), took)
        report(f"Import of {count:,} lines, the quickest of {_RUNS} runs", best, beside="sqlite-utils insert --nl")
        print(f"  {count / best['routic usage import']:,.0f} lines a second")
        print("Memory, at the most")
        short = Path(folder) / "short.log"
        write_log(short, count // 10)
        for lines, each in ((count // 10, short), (count, log)):
            sandbox = Sandbox(Path(folder) / f"memory-{lines}", measured=False)
            print(f"  {lines:>10,} lines {_most_memory([str(ROUTIC), 'usage', 'import', str(each)], sandbox):>10,} KiB")


def write_log(path: Path, count: int) -> None:
    """Lines as nginx writes them with the recipe of docs/usage-logs.md: 200 keys, a few calls a second."""
    with path.open("w") as log:
        log.writelines(f"{json.dumps(line, separators=(',', ':'))}\n" for line in _lines(count))


def _secret(number: int) -> str:
    return f"sk-{hashlib.sha256(str(number).encode()).hexdigest()[:45]}"


def _lines(count: int) -> Iterator[dict[str, str]]:
    chance = random.Random(1)
    time = float(NOW)
    for _ in range(count):
        time += chance.expovariate(4)
        key = chance.randrange(_KEYS)
        yield {
            "time_iso8601": datetime.fromtimestamp(int(time), UTC).isoformat(),
            "msec": f"{time:.3f}",
            "remote_addr": f"10.{key % 4}.{key}.{chance.randrange(1, 6)}",
            "request_method": "POST",
            "request_uri": chance.choice(_PATHS),
            "status": chance.choices(*_STATUSES)[0],
            "scheme": "https",
            "http_user_agent": f"OpenAI/Python {key % 2}.{key % 20}.0",
            "http_origin": "",
            "http_authorization": f"Bearer {_secret(key)}",
            "request_id": f"{chance.getrandbits(128):032x}",
        }


def _register(sandbox: Sandbox) -> None:
    keys = []
    for number in range(_KEYS):
        key = new_key(number)
        sha256 = hashlib.sha256(_secret(number).encode()).hexdigest()
        keys.append({"id": key.id, "name": key.traits.name, "sha256": sha256, "hint": key.version.hint})
    sandbox.ok("keys", "import", "--from", "-", stdin="\n".join(map(json.dumps, keys)))


def _most_memory(command: list[str], sandbox: Sandbox) -> int:
    pid = os.posix_spawn(command[0], command, sandbox.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, 2)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"the import ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _LINES)
