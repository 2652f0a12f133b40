"""`python -m tests.bench.bench_auth`: /auth of an installed `routic serve` beside a bare application on its server.

Needs wrk. The two take turns; memory is the server's after 100,000 requests with the same key and 100,000 with others.

Two cores, which wrk, the server and the process that writes the usage log share. Requests a second hang on what else
the machine does; processor time of the server for one request does so less:

                                        bare              /auth
    a thread writes the log             46,413 /s         8,698 /s (0.19), 69 to 87 µs for one request
    a process does, answers at once     20 µs             32 to 33 µs for one request (0.62 of bare)

The last row was measured beside other work (load 5 to 9), where the requests a second were 0.71 to 0.81 of bare's in
the same run: those ratios flatter, as bare was held back too. Of the 32 µs, two system calls that ask whether the
store has changed take about 4. The writer takes about 10 µs for an event, on the other core.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.gateways import free_port, routic_serve
from tests.support.sandbox import Sandbox

_ROUNDS: Final = 3
_SECONDS: Final = 4
_CONNECTIONS: Final = 16
_REQUESTS: Final = re.compile(r"Requests/sec:\s+([\d.]+)")
_LATENCY: Final = re.compile(r"Latency\s+(\S+)")
_COUNT: Final = re.compile(r"(\d+) requests in")
_BARE: Final = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
"""
# Another key for each request: none of them is known, and each looks like one.
_OTHERS: Final = """
request = function()
    local text = {}
    for i = 1, 45 do text[i] = string.char(math.random(97, 122)) end
    wrk.headers["Authorization"] = "Bearer sk-" .. table.concat(text)
    return wrk.format("GET", "/auth")
end
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sandbox = Sandbox(folder / "machine", measured=False)
        key = sandbox.ok("keys", "create", "--name", "bench").secret
        (folder / "others.lua").write_text(_OTHERS)
        with _bare(folder) as bare, routic_serve(sandbox) as serving:
            auth = f"{serving.url}/auth"
            best = {"bare": (0.0, ""), "/auth": (0.0, "")}
            for _ in range(_ROUNDS):
                for label, url in (("bare", bare), ("/auth", auth)):
                    best[label] = max(best[label], _measured(url, key))
            print(f"Requests a second over {_CONNECTIONS} connections, the best of {_ROUNDS} runs of {_SECONDS} s")
            for label, (rate, latency) in best.items():
                ratio = rate / best["bare"][0]
                print(f"  {label:<8} {rate:10,.0f} /s   latency {latency:>9}   {ratio:.2f} x bare")
            _print_memory(serving.process.pid, auth, key, folder)


def _measured(url: str, key: str) -> tuple[float, str]:
    text = _wrk(url, "--header", f"Authorization: Bearer {key}", seconds=_SECONDS)
    rate, latency = _REQUESTS.search(text), _LATENCY.search(text)
    if rate is None or latency is None or "Non-2xx" in text:
        raise SystemExit(text)
    return float(rate[1]), latency[1]


def _print_memory(pid: int, url: str, key: str, folder: Path) -> None:
    print(f"Memory of the server: {_memory(pid):,} KiB")
    for label, flags in (
        ("with one key", ["--header", f"Authorization: Bearer {key}"]),
        ("with others", ["--script", str(folder / "others.lua")]),
    ):
        done = 0
        while done < 100_000:
            found = _COUNT.search(_wrk(url, *flags, seconds=_SECONDS))
            done += int(found[1]) if found else 0
        print(f"  after {done:,} requests {label}: {_memory(pid):,} KiB")


def _wrk(url: str, *flags: str, seconds: int) -> str:
    command = ["wrk", "--threads", "1", "--connections", str(_CONNECTIONS), "--duration", f"{seconds}s", *flags, url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) if found else 0


@contextmanager
def _bare(folder: Path) -> Iterator[str]:
    module = "bare_application"
    (folder / f"{module}.py").write_text(_BARE)
    port = free_port()
    flags = ["--port", str(port), "--no-access-log", "--log-level", "critical", "--lifespan", "off"]
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(folder), f"{module}:app", *flags]
    process = subprocess.Popen(command)
    try:
        subprocess.run(
            ["wrk", "-t1", "-c1", "-d2s", f"http://127.0.0.1:{port}/"], capture_output=True, check=False
        )  # until it is up
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
