"""Planted incidents in an access log of real lines, and what the installed command finds of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from routic_cli.store.sqlite import SqliteStore
from tests.support.audit_world import DAY, MONDAY
from tests.support.placed import clock
from tests.support.sandbox import Sandbox
from tests.support.traffic import nginx_line
from tests.support.traffic_plans import PLANTED, with_incidents

EXPECTED = sorted((rule.value, name) for rule, name in PLANTED.items())


def plant(sandbox: Sandbox, lines: int, *, seed: int = 4) -> Path:
    """The keys in the store, and about so many calls in a log; the last third of it rotated away, compressed."""
    plan = with_incidents(seed, MONDAY).scaled_to(lines)
    sandbox.key_store.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    with closing(SqliteStore(sandbox.key_store, account="default")) as store:
        plan.register(store)
    folder = sandbox.home / "logs"
    folder.mkdir()
    late = MONDAY - 9 * DAY
    with gzip.open(folder / "access.log.1.gz", "wt") as before, (folder / "access.log").open("w") as after:
        for call in plan.calls():
            (after if call.time >= late else before).write(nginx_line(call) + "\n")
    return folder


def hunt(sandbox: Sandbox, logs: Path) -> tuple[int, list[tuple[str, str | None]]]:
    """Import the logs, ask for the audit of the last week; how many calls there were, and (rule, key) of each finding.

    The command sees the moment at which the plan ends.
    """
    env = clock("@2027-01-11 00:00:00")
    imported = _patiently(sandbox, "usage", "import", *sorted(logs.iterdir()), "--json", env=env)
    week = ("--since", "2027-01-04T00:00:00Z", "--until", "2027-01-11T00:00:00Z")
    found = _patiently(sandbox, "usage", "audit", *week, "--json", env=env)["data"]
    return imported["new"], sorted((each["rule"], each["key_name"]) for each in found)


def _patiently(sandbox: Sandbox, *arguments: object, env: Mapping[str, str]) -> Any:
    """What a command says, however long it takes: a million lines need longer than any other test."""
    process = sandbox.start(*map(str, arguments), env=env)
    out, error = process.communicate()
    assert process.returncode == 0, error.decode()
    return json.loads(out)
