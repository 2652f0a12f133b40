"""What a usage report says, before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routic_cli.domain.accounts import Account
from routic_cli.domain.audit.findings import Finding, Severity
from routic_cli.domain.keys import Key, KeyId, KeyStatus, UnixSeconds
from routic_cli.domain.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Course:
    """What one name did in each step of the period; `counts` has one number for each step."""

    name: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All steps together."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Steps:
    """The period cut in steps of one length, in seconds; each begins where the one before it ends."""

    begin: UnixSeconds
    length: int
    count: int

    @property
    def end(self) -> UnixSeconds:
        """Where the last step ends."""
        return self.begin + self.length * self.count

    def starts(self) -> list[UnixSeconds]:
        """Where each step begins."""
        return [self.begin + place * self.length for place in range(self.count)]


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """A key with what was counted of it in the period. `key` is None when the store does not list it (any more).

    `id` None is everything that came without a key that the store knows.
    """

    id: KeyId | None
    name: str | None
    key: Key | None
    traffic: Traffic | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the page. The times of the log are whole hours; `made_at` is the moment that ages are told from."""

    account: Account
    store: str
    since: UnixSeconds
    until: UnixSeconds
    made_at: UnixSeconds
    keys: Sequence[KeyUsage]
    findings: Sequence[Finding]
    steps: Steps
    calls: Sequence[Course]
    errors: Sequence[Course]

    def total(self, field: str) -> int:
        """The sum of a field of Traffic over all keys, and what came without one."""
        return sum(getattr(each.traffic, field) for each in self.keys if each.traffic is not None)

    @property
    def active_keys(self) -> list[Key]:
        """The keys that are let in, the oldest first."""
        active = [each.key for each in self.keys if each.key is not None and each.key.status is KeyStatus.ACTIVE]
        return sorted(active, key=lambda key: (key.created_at, key.id))

    def severities(self) -> dict[Severity, int]:
        """How many findings of each severity, the most severe first."""
        return {
            severity: sum(finding.severity is severity for finding in self.findings)
            for severity in sorted(Severity, key=lambda each: -each.rank)
        }
