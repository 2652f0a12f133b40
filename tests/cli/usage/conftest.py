"""A machine whose usage log has calls of the last days, as a file and behind a server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.gateways import routic_serve
from tests.support.sandbox import Done, Sandbox

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Logged:
    """Five calls of `web`, the first five days ago and the last one day ago, with status 201 to 205 in that order."""

    sandbox: Sandbox
    key_id: str
    began: int

    def run(self, *arguments: object, **options: Any) -> Done:
        return self.sandbox.run(*arguments, **options)

    def ok(self, *arguments: object, **options: Any) -> Done:
        return self.sandbox.ok(*arguments, **options)

    def lines(self, *arguments: object) -> list[dict[str, Any]]:
        """What `usage log --json` prints, line by line."""
        return [json.loads(line) for line in self.ok("usage", "log", "--json", *arguments).out.splitlines()]


@pytest.fixture(params=["file", "server"])
def logged(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Logged]:
    token = sandbox.ok("keys", "create", "--name", "ops", "--scope", "admin").secret
    key_id = sandbox.ok("keys", "create", "--name", "web", "--json").data["id"]
    now = int(time.time())
    calls = [
        {
            "time": now - (6 - n) * DAY,
            "key_id": key_id,
            "version": 1,
            "outcome": "allowed",
            "method": "POST",
            "path": "/v1/chat",
            "status": 200 + n,
            "address": f"192.0.2.{n}",
            "agent": "curl/8.5.0",
            "cost": 0.0065,
        }
        for n in range(1, 6)
    ]
    sandbox.ok("usage", "import", "-", stdin="".join(f"{json.dumps(call)}\n" for call in calls))
    if request.param == "file":
        yield Logged(sandbox, key_id, now)
        return
    with routic_serve(sandbox) as serving:
        remote = Sandbox(sandbox.root / "remote", measured=False)
        remote.extra |= {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        yield Logged(remote, key_id, now)
