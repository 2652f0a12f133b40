"""What every form of an incident is made of: what leaked, what was done, who called since, what is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from routic_cli.delivery.sink import Placement
from routic_cli.domain.audit.findings import Finding
from routic_cli.domain.keys import Key, KeyVersion, UnixSeconds
from routic_cli.scanning.reports.entry import Where


class Action(StrEnum):
    """What was done about a leaked key."""

    REVOKED = "revoked"
    REPLACED = "replaced"
    """The key has a next version, and what leaked has ended."""
    VERSION_ENDED = "version_ended"
    """What leaked had been replaced before, and was still let in."""
    NONE = "none"
    """What leaked was dead already."""
    FAILED = "failed"
    """What leaked may still be let in."""


class SinceWhen(StrEnum):
    """What the beginning of the time is that the usage log was looked at for."""

    REPORT = "report"
    """The oldest finding of the key that has a date: of a commit, mostly."""
    CREATION = "creation"
    """The leaked version's: it cannot have leaked before there was one, whatever a report says."""
    DAYS_AGO = "days_ago"
    """The leaked version is older than that, and nobody knows when it leaked."""


@dataclass(frozen=True, slots=True)
class FoundVersion:
    """A secret of a key that was found: where, how often, since when as far as a report says."""

    version: KeyVersion
    was_let_in: bool
    count: int = 0
    at: UnixSeconds | None = None
    places: Sequence[Where] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """An address that called with a leaked version: how often, and how often it was refused."""

    address: str
    calls: int
    refused: int
    first_at: UnixSeconds
    last_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class KeyAudit:
    """What the usage log says of a leaked key from `since` on; the log counts by the hour.

    `after_end` are calls with a leaked version that had ended by then. `log_since` is when the log begins, if that is
    later; None for a log that has nothing at all. `trouble` says why nothing could be looked at.
    """

    since: UnixSeconds
    since_when: SinceWhen
    log_since: UnixSeconds | None = None
    callers: Sequence[Caller] = ()
    after_end: int = 0
    findings: Sequence[Finding] = ()
    trouble: str = ""

    @property
    def was_made(self) -> bool:
        """Whether there was something to look at."""
        return not self.trouble and (self.log_since is not None or bool(self.callers))

    @property
    def calls(self) -> int:
        """All of them."""
        return sum(caller.calls for caller in self.callers)

    @property
    def refused(self) -> int:
        """Those of them that were not let in."""
        return sum(caller.refused for caller in self.callers)


@dataclass(frozen=True, slots=True)
class ToDo:
    """Something that is left to do, and the command for it where there is one."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class LeakedKeyReport:
    """One key of an incident.

    `key` is as it is now. `ended_at` is when what leaked ended. `replacement` is the version that took its place, and
    `places` are where that was put. `trouble` says why there is no replacement, or why the leaked version lives on.
    """

    key: Key
    found: Sequence[FoundVersion]
    action: Action
    changed: bool
    ended_at: UnixSeconds | None
    replacement: KeyVersion | None = None
    places: Sequence[Placement] = ()
    trouble: str = ""
    audit: KeyAudit | None = None
    to_do: Sequence[ToDo] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """A leak, as far as it can be told. `by` is who ran the command, `store` where the keys are.

    `formats` are what the report was read as; empty where the keys were named. `not_ours` and `unreadable` count what
    else it has.
    """

    at: UnixSeconds
    by: str
    store: str
    reason: str | None
    keys: Sequence[LeakedKeyReport]
    formats: Sequence[str] = ()
    not_ours: int = 0
    unreadable: int = 0
    kept_back: int = 0
    """Secrets that the server was not asked about: they could be guessed from their hashes."""
    of_another_account: int = 0
    is_dry_run: bool = False
