"""What a report said, without a secret in it: fingerprints, where they were found, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from routic_cli.domain.key_format import PREFIX
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Fingerprint, fingerprint_of
from routic_cli.scanning.reports.entry import Entry, Where, is_masked, keys_of

_PLACES: Final = 20
_AROUND_A_SECRET: Final = re.compile(r"^(?:Bearer\s+)?[\s\"'`]+|[\s\"'`]+$|^Bearer\s+", re.IGNORECASE)
_SHORTEST: Final = 20
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LEAST_CHANGES: Final = 0.25
_CUT_SHORT: Final = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])sk-[0-9A-Za-z]{8,44}")


@dataclass(slots=True)
class Leak:
    """One secret that was found, and how often.

    `hashes` are of what may be the key: the text that the scanner gives, and the keys that stand in it. Those of
    `guessable` could be undone by guessing, so that they must not leave this machine. `at` is when it leaked first, as
    far as the report says. `is_cut` where it looks like a key of ours that lacks its end.
    """

    hashes: tuple[Fingerprint, ...]
    guessable: frozenset[Fingerprint]
    is_cut: bool
    count: int = 0
    at: UnixSeconds | None = None
    places: list[Where] = field(default_factory=list)
    """The first of them."""

    def seen(self, where: Where, at: UnixSeconds | None) -> None:
        """Once more."""
        self.count += 1
        self.at = min((each for each in (self.at, at) if each is not None), default=None)
        if len(self.places) < _PLACES and where not in self.places:
            self.places.append(where)


@dataclass(slots=True)
class Report:
    """Everything that a report said. `formats` are what it was read as; `at` is when it was made, if it says so."""

    formats: list[str] = field(default_factory=list)
    at: UnixSeconds | None = None
    entries: int = 0
    masked: int = 0
    """Entries whose secret was blacked out."""
    unreadable: int = 0
    """All entries that give no secret, the masked ones too."""
    troubles: list[tuple[Where, str]] = field(default_factory=list)
    """The first of them, and why."""
    in_clear: str = ""
    """The command that would have said more."""
    _leaks: dict[tuple[Fingerprint, ...], Leak] = field(default_factory=dict)

    @property
    def leaks(self) -> list[Leak]:
        """Each secret once, in the order in which they were found."""
        return list(self._leaks.values())

    def add(self, entry: Entry, name: str, in_clear: str) -> None:
        """One more entry of a report of this format."""
        self.entries += 1
        if name not in self.formats:
            self.formats.append(name)
        # A half of a pair of surrogates is no character, and has no hash.
        texts = list(dict.fromkeys(text.encode("utf-8", "replace").decode() for text in _readable(entry)))
        if not texts:
            is_masked_one = bool(entry.secret)
            self.masked += is_masked_one
            self.cannot_read(entry.where, entry.why or ("masked" if is_masked_one else "without the secret"), in_clear)
            return
        hashes = tuple(fingerprint_of(text) for text in texts)
        leak = self._leaks.get(hashes)
        if leak is None:
            guessable = frozenset(h for h, text in zip(hashes, texts, strict=True) if is_guessable(text))
            leak = self._leaks[hashes] = Leak(hashes, guessable, _CUT_SHORT.fullmatch(texts[0]) is not None)
        leak.seen(entry.where, entry.at)

    def cannot_read(self, where: Where, why: str, in_clear: str = "") -> None:
        """An entry that gives no secret."""
        self.unreadable += 1
        self.in_clear = self.in_clear or in_clear
        if len(self.troubles) < _PLACES:
            self.troubles.append((where, why))


def _readable(entry: Entry) -> Iterator[str]:
    """What may be the key: those in the entry that are of our form, and the whole of a text that is no mask."""
    secret = entry.secret or ""
    yield from keys_of([secret, *entry.around])
    if secret.strip() and not is_masked(secret):
        yield secret.strip()
        yield _AROUND_A_SECRET.sub("", secret)


def is_guessable(text: str) -> bool:
    """Whether a text could be found by guessing from its hash: passwords can, keys made by a machine cannot.

    A machine's characters change their kind (small, capital, digit, other) more often than words do.
    """
    if text.startswith(PREFIX) and len(text) >= _SHORTEST:
        return False
    if _UUID.fullmatch(text):
        return False
    if len(text) < _SHORTEST or any(char.isspace() for char in text):
        return True
    kinds = [(char.islower(), char.isupper(), char.isdigit()) for char in text]
    changes = sum(this != following for this, following in pairwise(kinds))
    return changes < _LEAST_CHANGES * len(text)
