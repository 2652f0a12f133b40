"""What the formats make of a report: entries, each about one secret, and how to read a field that may be anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from routic_cli.domain.key_format import is_hint
from routic_cli.domain.keys import UnixSeconds

Record = Mapping[str, Any]
Place = tuple[str | None, ...]
"""Where a record stands in its document: a name for each object around it, None for each array."""

_MASK: Final = re.compile(
    r"redact|masked|\*{2,}|•{2,}|…|\.{3}|(?<![a-z])(?:hidden|filtered|requires login|removed|sensitive)(?![a-z])",
    re.IGNORECASE,
)
_BRACKETED: Final = re.compile(r"<[^<>]*>|\[[^\[\]\"']*\]|\u2039[^\u203a]*\u203a|«[^»]*»")
_FILLER: Final = re.compile(r"(?:sk-)?[xX.#·-]*")
_LATEST: Final = 253_402_300_799  # the end of the year 9999
_LONGEST_NAME: Final = 1024


class GoneBy(Enum):
    """What a record has in the place of what was read before it, one by one. No JSON can say this by itself."""

    NOTHING = "an empty array"
    ARRAY = "an array"
    OBJECT = "an object"
    STRANGE = "an object with more in it than arrays: something that was not looked into"


class Where(NamedTuple):
    """A place that a report names. Its words are the report's: mask them to show them."""

    file: str | None = None
    line: int | None = None
    commit: str | None = None

    def __str__(self) -> str:
        name = self.file or "the report"
        return name if self.line is None else f"{name}:{self.line}"


NOWHERE: Final = Where()


@dataclass(slots=True)
class Entry:
    """One secret that a report tells of.

    `secret` is its text, masked or missing where the scanner was told so; `around` are texts that it may stand in.
    `why` is what keeps it from being read, where the format knows better. `is_excerpt` where `secret` may be whole
    lines of a file with the secret somewhere in them.
    """

    secret: str | None = field(repr=False)
    around: Sequence[str] = field(default=(), repr=False)
    where: Where = NOWHERE
    at: UnixSeconds | None = None
    why: str = ""
    is_excerpt: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of report.

    `read` gives the entries of a record, none for one that belongs to such a report and tells of no secret, or None
    for what is not its own. `dated` is when a record says that the whole report was made. `in_clear` is the command
    that makes a report with the secrets in it. `ended` is whether the scan is known to have come to its end, as it was
    known before a record and is behind it; None for a report that says nothing of that.
    """

    name: str
    read: Callable[[Place, Record], Sequence[Entry] | None]
    in_clear: str
    dated: Callable[[Record], UnixSeconds | None] = lambda _: None
    ended: Callable[[Record, bool | None], bool | None] = lambda _, before: before


def text_of(record: object, *names: str) -> str | None:
    """The text below these names, one inside of the other; None where there is none."""
    value = value_of(record, *names)
    return value if isinstance(value, str) else None


def texts_of(record: object, *names: str) -> list[str]:
    """The texts of these fields that there are."""
    return [text for name in names if (text := text_of(record, name))]


def value_of(record: object, *names: str) -> object:
    """What is below these names, or None."""
    value = record
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def where_of(file: object, line: object, commit: object) -> Where:
    """A place, of whatever the report has in these fields."""
    return Where(_name(file), line_of(line), _name(commit))


def has_array(record: Record) -> bool:
    """Whether there is an array in it that was not looked into: it could be the findings, under another name."""
    return any(isinstance(value, list) for value in record.values())


def line_of(value: object) -> int | None:
    """The number of a line; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 40 else None


def _name(value: object) -> str | None:
    return value[:_LONGEST_NAME] if isinstance(value, str) and value else None


def moment_of(value: object) -> UnixSeconds | None:
    """A time as reports write it: ISO 8601 or nearly, UTC where it names no zone; None for what is none."""
    if not isinstance(value, str):
        return None
    text = re.sub(r"(?<=\d) (?=[+-]\d{4}$)", "", value.strip().removesuffix(" UTC"))
    text = re.sub(r"(?<=\.\d{6})\d+", "", text)  # nanoseconds
    try:
        moment = datetime.fromisoformat(text)
        at = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
    return at if 0 < at <= _LATEST else None


def is_masked(text: str) -> bool:
    """Whether a text stands for a secret without being it: `REDACTED`, `***`, a beginning with dots behind it."""
    text = text.strip()
    return (
        is_hint(text)
        or _MASK.search(text) is not None
        or _BRACKETED.fullmatch(text) is not None
        or _FILLER.fullmatch(text) is not None
    )
