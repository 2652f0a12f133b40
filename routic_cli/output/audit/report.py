"""What every form of an audit is made of, and the words that several of them use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.keys import UnixSeconds
from routic_cli.output.amounts import counted

SEVERITIES: Final = (Severity.HIGH, Severity.MEDIUM, Severity.LOW)
"""The soonest first."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What was found, the most severe first, and what was looked at.

    `calls` were made with `keys` different keys in the time from `since` to before `until`; `period` says the same to
    a person. `rules` are those asked for, empty for all. `fields` are those that --fields asks for.
    """

    findings: Sequence[Finding]
    since: UnixSeconds
    until: UnixSeconds
    now: UnixSeconds
    period: str
    calls: int
    keys: int
    rules: Sequence[RuleName] = ()
    fields: Sequence[str] | None = None

    @property
    def scope(self) -> str:
        """`3,747 calls with 3 keys, from … to now (UTC)`; of nothing it says that it was nothing."""
        calls = f"{counted(self.calls, 'call')} with {counted(self.keys, 'key')}" if self.calls else "no calls"
        return f"{calls}, {self.period}, by {counted(len(self.rules or RuleName), 'rule')}"

    @property
    def tally(self) -> str:
        """`3 findings: 2 high, 1 low`, or `no findings`."""
        counts = Counter(finding.severity for finding in self.findings)
        if not counts:
            return "no findings"
        parts = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
        return f"{counted(len(self.findings), 'finding')}: {parts}"
