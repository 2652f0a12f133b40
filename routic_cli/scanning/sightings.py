"""What a scan saw: a key in a place, and what could not be looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from routic_cli.domain.errors import RouticError
from routic_cli.domain.secret import Fingerprint
from routic_cli.scanning.exposure import exposure_of
from routic_cli.scanning.find import Hit

STAGED: Final = "staged file"

Told = Callable[[int, int], None]
"""Is told how far a scan is: how much is done, of how much."""


def telling_nobody(done: int, total: int) -> None:
    """Nobody waits."""
    del done, total


@dataclass(frozen=True, slots=True)
class Sighting:
    """A key in a place. `file` may hold bytes that are no text, as surrogates, and even a key: mask it to show it.

    `commit` is the first that had it, in a history; `held_by` is how that is reached: a branch, a tag, a stash, a
    reflog. `place` stands for a file where there is none: a commit's message, an object that nothing reaches.
    """

    file: str | None
    line: int | None
    commit: str | None
    sha256: Fingerprint
    hint: str
    exposure: str = ""
    """Why it is worse here than elsewhere, as a sentence; mostly nothing."""
    held_by: str = ""
    place: str = ""

    @property
    def where(self) -> str:
        """`file:line`, or what stands for it."""
        name = self.file if self.file is not None else self.place
        return name if self.line is None else f"{name}:{self.line}"


def sighting(hit: Hit, file: str, *, commit: str | None = None, held_by: str = "") -> Sighting:
    """The key that was hit in a file of a work tree, an index or a commit."""
    return Sighting(file, hit.line, commit, hit.sha256, hit.hint, exposure_of(file, hit.variable), held_by)


@dataclass(slots=True)
class Scan:
    """What came of a scan. `troubles` are what it could not look into, and why; `notices` what it did not do."""

    unit: str
    """What was counted: `file`, `object`, or STAGED."""
    looked_at: int = 0
    sightings: list[Sighting] = field(default_factory=list)
    troubles: list[tuple[str, str]] = field(default_factory=list)
    """A thing that was not looked into and why, and a remedy or nothing."""
    notices: list[tuple[str, str]] = field(default_factory=list)

    def add(self, sightings: Iterable[Sighting]) -> None:
        """More keys in places."""
        self.sightings.extend(sightings)

    def failed(self, error: RouticError) -> None:
        """A thing could not be looked into; the others are."""
        self.troubles.append((". ".join(error.sentences()), error.remedy))

    def distinct(self) -> Sequence[Fingerprint]:
        """Each key once, in the order in which they were seen."""
        return list(dict.fromkeys(sighting.sha256 for sighting in self.sightings))
