"""Reading one field of a log line: the value, or a reason that names the field and never repeats it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import BILLIONTHS, MOST_COST

Record = Mapping[str, Any]

# The bounds of the admin API: a line that it would refuse would take its whole batch with it.
MOST_TOKENS: Final = 10**12
_LATEST_STATUS: Final = 999
_STATUSES: Final = {**{f"{each:03}": each for each in range(_LATEST_STATUS + 1)}, "": 0, "-": 0, "0": 0}
ABSENT: Final = (None, "", "-")
"""What servers write for nothing."""

# Unix time in milliseconds, microseconds and nanoseconds: no log of ours is from the year 5000.
_FINER: Final = (1_000, 1_000_000, 1_000_000_000)
_SECONDS: Final = 100_000_000_000


class BadLineError(Exception):
    """A line that is no event; the text says why, for a person, without what is in the line."""


def text(record: Record, field: str) -> str:
    """A text; empty where it is missing, null or `-`, which is what servers write for nothing."""
    return as_text(record.get(field), field)


def as_text(value: object, field: str) -> str:
    """The same, of the value of a field."""
    if type(value) is str:  # of a parser: there are no others
        return "" if value == "-" else value
    if value is None:
        return ""
    raise BadLineError(f"'{field}' is not a text")


def nested(record: Record, field: str) -> Record:
    """An object inside of the line; empty where it is missing."""
    value = record.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadLineError(f"'{field}' is not an object")
    return value


def whole_number(record: Record, field: str, *, lowest: int = 0, highest: int = MOST_TOKENS) -> int | None:
    """A whole number within bounds that may be missing."""
    value = record.get(field)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadLineError(f"'{field}' is not a whole number")
    if not lowest <= value <= highest:
        raise BadLineError(f"'{field}' is out of range")
    return value


def status(record: Record, field: str = "status") -> int:
    """An HTTP status, as a number or in quotes; 0 where a server had none to write."""
    value = record.get(field)
    if type(value) is str:
        return _STATUSES[value] if value in _STATUSES else _no_status(field)
    if type(value) is int and 0 <= value <= _LATEST_STATUS:
        return value
    return 0 if value is None else _no_status(field)


def _no_status(field: str) -> NoReturn:
    raise BadLineError(f"'{field}' is not an HTTP status")


def moment(value: object, field: str) -> UnixSeconds:
    """Unix time in seconds or finer, as a number or in quotes, or an ISO 8601 text; UTC where that names no zone.

    It may be of any year: whether it can be true is for the one who has a clock.
    """
    try:
        if isinstance(value, str):
            return _from_text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _checked(value)
    except (ValueError, OverflowError):
        raise BadLineError(f"'{field}' is not a time") from None
    raise BadLineError(f"'{field}' is missing" if value is None else f"'{field}' is not a time")


def cost(record: Record, field: str) -> int | None:
    """An amount of the account's currency in billionths, rounded to the nearest; it may be missing."""
    value = record.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadLineError(f"'{field}' is not an amount")
    try:
        # The shortest decimal that reads as this float is the one that was written.
        billionths = int((Decimal(str(value)) * BILLIONTHS).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        raise BadLineError(f"'{field}' is not an amount") from None
    if not 0 <= billionths <= MOST_COST * BILLIONTHS:
        raise BadLineError(f"'{field}' is out of range")
    return billionths


def _from_text(value: str) -> UnixSeconds:
    # `2026-…` has its dash where a number of seconds has digits.
    if value[4:5] != "-":
        return _checked(float(value))
    instant = datetime.fromisoformat(value)
    return math.floor((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())


def _checked(value: float) -> UnixSeconds:
    seconds = int(value)
    if 0 <= seconds < _SECONDS:
        return seconds
    for unit in _FINER:
        if 0 <= seconds // unit < _SECONDS:
            return seconds // unit
    raise ValueError("beyond all calendars")
