"""What a server process logs is one JSON object a line, with the place of an error and without its values."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

import pytest

KEY: Final = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"
HIDDEN: Final = "what-the-request-said"

_INSTALLED: Final = "from routic_cli.server import server_log; server_log.install(); import logging\n"
CASES: Final = {
    "a library's error": f"""
def f(body):
    raise ValueError(body)
try:
    f({HIDDEN!r})
except ValueError:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\\n", exc_info=True)
""",
    "a library's words": "logging.getLogger('uvicorn.error').warning('Invalid HTTP request received.')",
    "a warning": f"import warnings; warnings.warn({HIDDEN!r}, stacklevel=1)",
    "a thread": f"""
import threading
def f():
    raise KeyError({HIDDEN!r})
thread = threading.Thread(target=f); thread.start(); thread.join()
""",
    "the end of the process": f"raise RuntimeError({HIDDEN!r})",
    "a task that nobody waited for": f"""
import asyncio, gc
async def fails(body):
    raise ValueError(body)
async def main():
    task = asyncio.create_task(fails({HIDDEN!r}))
    await asyncio.sleep(0.01)
    del task
    gc.collect()
asyncio.run(main())
""",
    "a destructor": f"""
class C:
    def __del__(self):
        raise ValueError({HIDDEN!r})
C()
""",
}


def said(code: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", _INSTALLED + code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("case", CASES)
def test_whatever_goes_wrong_is_one_object_without_values(case: str) -> None:
    (line,) = said(CASES[case])
    assert HIDDEN not in json.dumps(line)
    assert {"time", "event", "level", "logger", "message"} <= line.keys()
    assert line["message"]


def test_an_exception_is_its_type_and_its_place() -> None:
    (line,) = said(CASES["a library's error"])
    assert line["exception"] == "builtins.ValueError"
    assert line["place"] == "<string>:4 f < <string>:6 <module>"
    assert (line["level"], line["logger"], line["message"]) == (
        "error",
        "uvicorn.error",
        "Exception in ASGI application",
    )


def test_a_key_in_a_message_is_masked() -> None:
    (line,) = said(f"logging.getLogger('any').warning('see %s', {KEY!r})")
    assert line["message"] == "see sk-Ky9P…aSEj"
