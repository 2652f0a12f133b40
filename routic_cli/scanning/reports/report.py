"""What a report said, without a secret in it: fingerprints, where they were found, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from routic_cli.domain.key_format import PREFIX
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Fingerprint, fingerprint_of
from routic_cli.scanning.reports.candidates import MOST, is_name, keys_of, stumps_of, words_of
from routic_cli.scanning.reports.entry import Entry, Where, is_masked

_PLACES: Final = 20
_BEARER: Final = re.compile(r"\ABearer\s+", re.IGNORECASE)
_QUOTES: Final = " \t\r\n\f\v\"'`"
_SHORTEST: Final = 20
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LEAST_CHANGES: Final = 0.25


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
        read = _Read(entry)
        if read.is_masked or not read.texts:
            self.masked += read.is_masked
            self.cannot_read(entry.where, entry.why or ("masked" if read.is_masked else "without the secret"), in_clear)
        elif read.keys and read.stumps:
            self.cannot_read(entry.where, "beside a key there is one that is not whole", in_clear)
        if not read.texts:
            return
        hashes = tuple(fingerprint_of(text) for text in read.texts)
        leak = self._leaks.get(hashes)
        if leak is None:
            guessable = frozenset(h for h, text in zip(hashes, read.texts, strict=True) if is_guessable(text))
            leak = self._leaks[hashes] = Leak(hashes, guessable, read.is_doubtful)
        leak.seen(entry.where, entry.at)

    def cannot_read(self, where: Where, why: str, in_clear: str = "") -> None:
        """An entry that gives no secret."""
        self.unreadable += 1
        self.in_clear = self.in_clear or in_clear
        if len(self.troubles) < _PLACES:
            self.troubles.append((where, why))


class _Read:
    """An entry, read: the texts in it that may be the key, and what is to be said of it if none of them is."""

    def __init__(self, entry: Entry) -> None:
        secret = entry.secret or ""
        self.keys = list(dict.fromkeys(keys_of([secret, *entry.around])))
        stumps = dict.fromkeys(stumps_of([secret, *entry.around]))
        self.stumps = [each for each in stumps if not any(key.startswith(each) for key in self.keys)]
        has_key = next(keys_of([secret]), None) is not None
        self.is_masked = bool(secret) and not has_key and is_masked(secret)
        is_excerpt = entry.is_excerpt and any(char.isspace() or char in "=\"'`" for char in secret.strip())
        words = [word for word in words_of(secret) if not is_masked(word)] if is_excerpt else []
        is_lost = entry.is_excerpt and all(map(is_name, words if is_excerpt else [secret]))
        whole = [] if self.is_masked or (is_lost and not words) else _whole(secret)
        named = [] if self.is_masked and is_lost else words
        loose = [] if self.is_masked else self.stumps
        # A half of a pair of surrogates is no character, and has no hash.
        texts = (text.encode("utf-8", "replace").decode() for text in (*self.keys, *whole, *named, *loose))
        self.texts: Sequence[str] = list(dict.fromkeys(texts))
        self.is_doubtful = not self.keys and (bool(self.stumps) or is_lost or len(words) > MOST)


def _whole(secret: str) -> Sequence[str]:
    """A text as it is, and without what it was quoted in."""
    text = secret.strip()
    return [text, _BEARER.sub("", secret.strip(_QUOTES)).strip(_QUOTES)] if text else []


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
