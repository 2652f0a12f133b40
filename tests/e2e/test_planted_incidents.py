"""From the lines of a log to the findings, by the installed command: what was planted is found, and nothing else."""

from __future__ import annotations

from tests.support.planted import EXPECTED, hunt, plant
from tests.support.sandbox import Sandbox


def test_what_was_planted_in_a_log_is_found_and_nothing_else(sandbox: Sandbox) -> None:
    logs = plant(sandbox, 100_000)

    calls, found = hunt(sandbox, logs)

    assert found == EXPECTED
    assert calls > 90_000
    assert hunt(sandbox, logs) == (0, EXPECTED)
