"""The thresholds of the audit: whole numbers that the configuration may change. docs/audit.md defends each default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

HIGHEST: Final = 1_000_000
"""Of any threshold: a time that many days ago can still be asked for."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Each threshold with its default. Times are in the unit that the name ends with."""

    baseline_days: int = 30
    """How far back a key's own history goes, before the time that is looked at."""
    baseline_least_days: int = 7
    """How long a key must have been in use before a medium rule can fire for it."""
    baseline_least_calls: int = 50
    """How many calls a history must have: a few trials are no habit."""
    in_flight_minutes: int = 10
    """How long a call that was let in before a revocation may take to end."""
    guessing_keys: int = 5
    """Different unknown keys from one address, or one /64 of IPv6, within a day."""
    guessing_keys_together: int = 100
    """Different unknown keys within a day from all those addresses of which none reaches `guessing_keys`."""
    roaming_networks: int = 3
    """New networks in the later half of the history: of a key that always meets new ones, one more says nothing."""
    roaming_clients: int = 3
    """The same of programs."""
    spike_calls: int = 300
    """Calls of an hour, below which none is a spike."""
    spike_times: int = 4
    """How many times the third-busiest hour of the history."""
    spike_score: int = 8
    """Robust standard deviations above the usual for that hour of a working day or a weekend."""
    shared_hours: int = 24
    """Hours in which several services called with one key."""
    environment_percent: int = 80
    """The share of a network's calls that makes it a place of one environment."""
    environment_calls: int = 100
    """Calls of others from a network, below which nobody can say whose place it is."""
    limited_calls: int = 50
    limited_percent: int = 5
    limited_hours: int = 3
    stale_days: int = 90
    old_days: int = 180

    def changes(self) -> Mapping[str, int]:
        """The thresholds that are not the default ones."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def changed(self, changes: Mapping[str, int]) -> Policy:
        """The policy with these thresholds; KeyError for a name that is none, ValueError if not from 1 to HIGHEST."""
        for name, value in changes.items():
            if name not in THRESHOLDS:
                raise KeyError(name)
            if not 1 <= value <= HIGHEST:
                raise ValueError(name)
        return replace(self, **changes)


THRESHOLDS: Final = tuple(field.name for field in fields(Policy))
"""The names of all thresholds."""
