"""Reading one field of a record that another program wrote: the value, or an error that names the field."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.key_format import is_hint
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.rules import NAME_LENGTH, NAME_PUNCTUATION, is_letter_or_digit
from routic_cli.domain.secret import Fingerprint, is_fingerprint

Record = Mapping[str, object]

UNKNOWN_HINT: Final = "…"


def fingerprint(text: object, field: str) -> Fingerprint:
    """A SHA-256 in hexadecimal."""
    if not isinstance(text, str) or not is_fingerprint(text.lower()):
        raise InvalidRequestError(f"'{field}' is not a SHA-256 in hexadecimal", param=field)
    return Fingerprint(text.lower())


def text_or_none(record: Record, field: str) -> str | None:
    """A text that may be missing."""
    value = record.get(field)
    if value is not None and not isinstance(value, str):
        raise InvalidRequestError(f"'{field}' is not a text", param=field)
    return value or None


def whole_number_or_none(record: Record, field: str) -> int | None:
    """A whole number that may be missing."""
    value = record.get(field)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise InvalidRequestError(f"'{field}' is not a whole number", param=field)


def texts_by_name(record: Record, field: str) -> dict[str, str]:
    """An object whose values are texts, such as tags."""
    value = record.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise InvalidRequestError(f"'{field}' is not an object of texts", param=field)
    return dict(value)


def moment_or_none(record: Record, field: str, *, unit: int = 1) -> UnixSeconds | None:
    """Unix time in 1/`unit` seconds, or an ISO 8601 text (UTC where it names no zone)."""
    value = record.get(field)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value / unit)
        moment = datetime.fromisoformat(str(value))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(f"'{field}' is not a time", param=field) from error


def hint_or_unknown(text: str | None) -> str:
    """The text when it is a mask and nothing more; never a text that could be a secret."""
    return text if text is not None and is_hint(text) else UNKNOWN_HINT


def adapted_name(text: str) -> str:
    """The nearest name that our rules allow: other programs' names may have spaces and more."""
    kept = (c if is_letter_or_digit(c) or c in NAME_PUNCTUATION else " " for c in unicodedata.normalize("NFC", text))
    return "-".join("".join(kept).split()).lstrip("-._")[:NAME_LENGTH]
