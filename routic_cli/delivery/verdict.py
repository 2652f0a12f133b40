"""What is said of a place before a secret is put there: findings, of which the worst decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Severity(IntEnum):
    """How bad a finding is; the worst of all decides."""

    FINE = 0
    WARN = 1
    REFUSE = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `rule` is a stable slug, `remedy` a command to type or empty."""

    rule: str
    severity: Severity
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class SafetyVerdict:
    """Everything found of one file, in the order of the checks."""

    path: Path
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """The worst of the findings; FINE without any."""
        return max((finding.severity for finding in self.findings), default=Severity.FINE)
