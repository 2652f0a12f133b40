"""The numbers of texts and of series in the usage log: found, or given, once; then remembered."""

from __future__ import annotations

import sqlite3
from operator import itemgetter
from typing import Any, Final

from routic_cli.domain.clients import family_of
from routic_cli.domain.networks import network_of
from routic_cli.domain.usage import Flag, UsageEvent, may_hold_key, without_keys

LONGEST_TEXT: Final = 512
"""In characters. Who calls chooses agent and path: unbounded, a caller could fill the disk with a few requests."""

LARGEST: Final = (1 << 63) - 1
NONE: Final = 0
"""The number of no text."""

SERIES: Final = (
    "key_id", "version", "account", "outcome", "method", "status", "address", "agent", "origin", "model", "flags",
)  # fmt: skip
BITS: Final = {flag.value: 1 << place for place, flag in enumerate(Flag)}

_LABELS: Final = itemgetter(*(UsageEvent._fields.index(name) for name in SERIES))
_FIND: Final = f"SELECT id FROM series WHERE {' AND '.join(f'{name} = ?' for name in SERIES)}"  # noqa: S608  # ours
_COLUMNS: Final = (*SERIES, "network", "family")
_MAKE: Final = f"INSERT INTO series ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_MOST_REMEMBERED: Final = 50_000


class Numbers:
    """Numbers in the file behind `connection`, whose transaction makes those that are new."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._pruned = -1
        self._texts: dict[str | None, int] = {}
        self._series: dict[tuple[Any, ...], int] = {}

    def begin(self) -> None:
        """To be called in each transaction: another process may have removed what is remembered here."""
        pruned = self._connection.execute("SELECT times FROM pruned").fetchone()[0]
        if pruned != self._pruned or len(self._series) > _MOST_REMEMBERED or len(self._texts) > _MOST_REMEMBERED:
            self.forget()
            self._pruned = pruned

    def forget(self) -> None:
        """Remember nothing: the transaction that gave the numbers was undone."""
        self._texts, self._series = {None: NONE}, {}
        self._pruned = -1

    def series(self, event: UsageEvent) -> int:
        """The number of what the event has in common with others."""
        labels = _LABELS(event)
        number = self._series.get(labels)
        if number is None:
            number = self._series[labels] = self._find_series(event)
        return number

    def text(self, text: str | None) -> int:
        """The number of a text, as it may be stored."""
        number = self._texts.get(text)
        if number is None:
            stored = storable(text)
            number = self._find_text(stored)
            # What is shaped like a key would be one that is remembered: it was masked, and is worked out each time.
            if stored == text:
                self._texts[text] = number
        return number

    def _find_series(self, event: UsageEvent) -> int:
        for value in (event.version, event.status):
            if value is not None and not 0 <= value <= LARGEST:
                raise ValueError("A usage event has a version or a status that is none")
        if not BITS.keys() >= set(event.flags):
            raise ValueError("A usage event has a flag that is none")
        numbers = (
            *map(self.text, (event.key_id,)), event.version or NONE,
            *map(self.text, (event.account, event.outcome, event.method)), event.status,
            *map(self.text, (event.address, event.agent, event.origin, event.model)),
            sum(BITS[flag] for flag in set(event.flags)),
        )  # fmt: skip
        found = self._connection.execute(_FIND, numbers).fetchone()
        if found is not None:
            return int(found[0])
        derived = (self.text(network_of(event.address)), self.text(family_of(storable(event.agent))))
        return self._connection.execute(_MAKE, (*numbers, *derived)).lastrowid or NONE

    def _find_text(self, text: str | None) -> int:
        found = self._connection.execute("SELECT id FROM texts WHERE text = ?", (text,)).fetchone()
        if found is not None:
            return int(found[0])
        return self._connection.execute("INSERT INTO texts (text) VALUES (?)", (text,)).lastrowid or NONE


def storable(text: str | None) -> str | None:
    """What SQLite keeps as it is: half a surrogate pair is no UTF-8, and NUL ends a text in its JSON functions."""
    if text is None:
        return None
    if len(text) > LONGEST_TEXT or may_hold_key(text):
        text = without_keys(text, LONGEST_TEXT)
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
