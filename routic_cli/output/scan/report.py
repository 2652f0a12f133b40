"""What every form of a scan is made of: a key in a place, what the store says of it, what to do."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from routic_cli.domain.keys import Verdict, VerdictStatus
from routic_cli.output.inert import inert, without_secrets
from routic_cli.scanning.names import typed
from routic_cli.scanning.sightings import STAGED, Sighting

NOT_ASKED: Final = "not_asked"
_OUTSIDE: Final = ("/", "../")  # another repository than the one around us


class Level(StrEnum):
    """How bad a key in a place is, in the words of SARIF and GitHub."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key in a place. `verdict` is None where no store was asked about it."""

    sighting: Sighting
    verdict: Verdict | None

    @property
    def status(self) -> str:
        """`active`, `expired`, `revoked`, `unknown`; `not_asked` where nobody was asked."""
        return self.verdict.status.value if self.verdict else NOT_ASKED

    @property
    def counts(self) -> bool:
        """Whether it is let in, or may be, because nobody said otherwise."""
        return self.verdict is None or self.verdict.status is VerdictStatus.ACTIVE

    @property
    def is_of_another_account(self) -> bool:
        """Whether the store knows it, and does not say whose it is."""
        return self.verdict is not None and self.verdict.key is None and self.status != VerdictStatus.UNKNOWN

    @property
    def level(self) -> Level:
        """An error when it counts; what is dead is a note."""
        if self.counts:
            return Level.ERROR
        return Level.WARNING if self.status == VerdictStatus.UNKNOWN else Level.NOTE

    @property
    def key_id(self) -> str | None:
        """Whose it is."""
        return self.verdict.key.id if self.verdict and self.verdict.key else None

    @property
    def key_name(self) -> str | None:
        """Whose it is, by name."""
        return self.verdict.key.name if self.verdict and self.verdict.key else None

    @property
    def file(self) -> str | None:
        """The file's name, without a key that it may have in it; None where the key is in no file."""
        return None if self.sighting.file is None else without_secrets(self.sighting.file)

    @property
    def where(self) -> str:
        """`file:line`, fit to be shown."""
        return inert(without_secrets(self.sighting.where))

    @property
    def held_by(self) -> str:
        """The branch, tag, stash or reflog, fit to be shown."""
        return inert(without_secrets(self.sighting.held_by))


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What was found, and how much was looked at. `ours` makes a command of ours one that is right here."""

    found: Sequence[FoundKey]
    looked_at: int
    unit: str
    ours: Callable[[str], str]
    fields: Sequence[str] | None = None

    def remedies(self, found: FoundKey) -> list[str]:
        """Commands: out of the commit with it, where it is not in one yet; else what ends or replaces the key."""
        if self.unit == STAGED and found.counts and found.file and not found.file.startswith(_OUTSIDE):
            # Unlike `restore --staged` it also works before the first commit; names begin at the top.
            return [f"git reset --quiet -- {typed(f':/{found.file}')}"]
        if found.status == VerdictStatus.ACTIVE and not found.is_of_another_account:
            name = shlex.quote(found.key_name or found.key_id or "")
            return [self.ours(f"routic keys revoke {name} --reason leaked"), self.ours(f"routic rotate {name} --now")]
        return []

    def sentence(self, found: FoundKey) -> str:
        """What it is and why that matters, in words."""
        hint, name = found.sighting.hint, "of another account" if found.is_of_another_account else found.key_name
        said = {
            "active": f"The active key {name} ({hint}) is here",
            "expired": f"The key {name} ({hint}), which has expired, is here",
            "revoked": f"The key {name} ({hint}), which is revoked, is here",
            "unknown": f"A key ({hint}) is here that the store does not know",
            NOT_ASKED: f"A key ({hint}) is here; no store was asked whether it is active",
        }[found.status]
        held = f", in commit {found.sighting.commit[:12]}" if found.sighting.commit else ""
        by = f" ({found.held_by})" if found.held_by else ""
        worse = f". {found.sighting.exposure}" if found.sighting.exposure else ""
        return without_secrets(f"{said}{held}{by}{worse}")
