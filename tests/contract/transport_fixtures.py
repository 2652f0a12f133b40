"""What every test of a transport starts from: a clock that moves when it is told to, and a way to open one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routic_cli.store.interface import TrailEntry
from routic_cli.transport.interface import Transport
from tests.support.keys import NOW

OURS = "ours"
THEIRS = "theirs"


class Clock:
    """Unix seconds that move when a test says so."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: int) -> None:
        self.now += seconds


TransportOf = Callable[[str], Transport]
TrailOf = Callable[[str], list[TrailEntry]]
Actions = Callable[[], list[str]]


class TransportFixtures:
    """What follows from the two fixtures that a transport's test adds.

    `transport_of` gives a transport for an account, at the time of `clock`; those of two accounts reach the same store.
    `trail_of` reads the audit trail of an account, the newest entry first.
    """

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def transport(self, transport_of: TransportOf) -> Transport:
        return transport_of(OURS)

    @pytest.fixture
    def actions(self, trail_of: TrailOf) -> Actions:
        """What the audit trail of our account says was done, the oldest first."""
        return lambda: [entry.action for entry in reversed(trail_of(OURS))]
