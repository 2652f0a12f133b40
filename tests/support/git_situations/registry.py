"""What an odd place for a secret is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from routic_cli.delivery.verdict import Severity
from tests.support.git_world import World

FINE, WARN, REFUSE = Severity.FINE, Severity.WARN, Severity.REFUSE


Build = Callable[[World], Path]


@dataclass(frozen=True)
class Situation:
    """How to get there, what is said of it, and how bad it is once mended; None: mending is refused."""

    build: Build
    rules: set[str]
    severity: Severity
    mended: Severity | None


SITUATIONS: list[Situation] = []


def situation(severity: Severity, *rules: str, mended: Severity | None) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        SITUATIONS.append(Situation(build, set(rules), severity, mended))
        return build

    return add
