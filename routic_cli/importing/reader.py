"""JSON lines to keys, each format told by its fields. A line that cannot be used keeps no others out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.domain.key_format import contains_secret_shape
from routic_cli.domain.keys import NewKey, UnixSeconds
from routic_cli.importing import litellm, routic, unkey
from routic_cli.importing.fields import Record

_LONGEST_LINE: Final = 1 << 20

# The most telling first.
_FORMATS: Final[tuple[tuple[Callable[[Record], bool], Callable[[Record, UnixSeconds], NewKey]], ...]] = (
    (litellm.recognises, litellm.read),
    (routic.recognises, routic.read),
    (unkey.recognises, unkey.read),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the input that was not blank: the key in it, or why there is none."""

    number: int
    key: NewKey | None
    error: RouticError | None = None


def read_lines(lines: Iterable[bytes], now: UnixSeconds) -> Iterator[Line]:
    """The key of each line; blank lines are passed over."""
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            yield Line(number, _read(raw, now))
        except RouticError as error:
            yield Line(number, None, error)


def _read(raw: bytes, now: UnixSeconds) -> NewKey:
    if len(raw) > _LONGEST_LINE:
        raise InvalidRequestError("The line is longer than 1 MiB")
    try:
        text = raw.decode("utf-8-sig")
        record = json.loads(text)
    except (ValueError, RecursionError) as error:  # a number of more than 4300 digits is a mere ValueError
        raise InvalidRequestError("The line is not JSON") from error
    if contains_secret_shape(text):
        raise InvalidRequestError("The line has a secret in plain text; only its SHA-256 belongs here")
    if isinstance(record, list):
        raise InvalidRequestError("The line is a JSON array; each key needs a line of its own: jq -c '.[]'")
    if isinstance(record, dict):
        for recognises, read in _FORMATS:
            if recognises(record):
                return read(record, now)
    raise InvalidRequestError("The line is no key record that routic knows")
