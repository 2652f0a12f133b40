"""The thresholds of the audit: whole numbers that the configuration may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Policy:
    """Each threshold with its default. Times are in the unit that the name ends with."""

    baseline_days: int = 30
    """How far back a key's own history goes, before the time that is looked at."""
    baseline_least_days: int = 7
    """How long a key must have been in use before a medium rule can fire for it."""
    in_flight_minutes: int = 10
    """How long a call that was let in before a revocation may take to end."""
    guessing_keys: int = 5
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
        """The policy with these thresholds; KeyError for a name that is none, ValueError for one below 1."""
        known = {field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise KeyError(name)
            if value < 1:
                raise ValueError(name)
        return replace(self, **changes)
