"""Lines of a log to events, each format told by its content. A line that cannot be read keeps no others out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, NoReturn

import orjson

from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.usage import EARLIEST, UsageEvent
from routic_cli.importing.logs.fields import BadLineError, Record
from routic_cli.importing.logs.formats import Format, format_of
from routic_cli.importing.logs.identities import Identities, identity_of_request

_MARK: Final = b"\xef\xbb\xbf"
UNFORESEEN: Final = "it has a field of a kind that routic did not foresee"
_TOO_EARLY: Final = "its time is before 2015"
_TOO_LATE: Final = "its time is more than a day ahead of this machine's clock"
_TOO_DEEP: Final = "it is nested too deeply"


class BadLine(NamedTuple):
    """A line that is no event: where it is, and why, without what is in it."""

    number: int
    why: str


class LogReader:
    """Reads one log from its first line on. Formats may change from line to line.

    `latest` says which time a call can have at most, now: a log may be read for days.
    """

    def __init__(self, latest: Callable[[], UnixSeconds]) -> None:
        self._latest = latest
        self._identities = Identities()
        self._format: Format | None = None
        self.lines = 0
        """How many lines have been read, blank ones included."""

    def read(self, lines: Sequence[bytes | None], good: list[UsageEvent], bad: Callable[[BadLine], None]) -> None:
        """Put the events of the next lines behind those in `good`, and hand over what is none.

        A line is without its line end, or None when it was too long to be kept. Blank ones are passed over.
        """
        number = self.lines
        self.lines += len(lines)
        append, loads, latest = good.append, orjson.loads, self._latest()
        for line in lines:
            number += 1
            try:
                if line is None:
                    bad(BadLine(number, "it is longer than 1 MiB"))
                    continue
                try:
                    record = loads(line)
                except ValueError:
                    if not line.strip(b"\r \t\0"):
                        continue
                    record = _patiently(line)
                event = self._event(record, line[:-1] if line[-1:] == b"\r" else line)
                if not EARLIEST <= event.time <= latest:
                    raise BadLineError(_TOO_EARLY if event.time < EARLIEST else _TOO_LATE)
                append(event)
            except BadLineError as error:
                bad(BadLine(number, f"{error}"))
            except (
                TypeError,
                ValueError,
                LookupError,
                AttributeError,
            ):  # a mistake of ours; the others are not to blame
                bad(BadLine(number, UNFORESEEN))

    def _event(self, record: Any, line: bytes) -> UsageEvent:
        if not isinstance(record, dict):
            raise BadLineError(_not_an_object(record))
        known = self._format
        if known is None or not known.recognises(record):
            known = format_of(record)
            if known is None:
                raise BadLineError("it is JSON of no format that routic knows")
            self._format = known
        return known.read(
            record, identity_of_request(line) if known.names_request(record) else self._identities.of(line)
        )


def _patiently(line: bytes) -> Any:
    """What the quick parser refuses: bytes that are no UTF-8, a byte order mark, a hole that a rotation has left."""
    text = line.strip(b"\0").removeprefix(_MARK).decode("utf-8", "replace")
    try:
        return _speakable(json.loads(text, parse_constant=_refuse_constant))
    except RecursionError:
        raise BadLineError(_TOO_DEEP) from None
    except ValueError:  # also for a number of more than 4300 digits
        raise BadLineError("it is not JSON, or not all of a line") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _speakable(value: Any) -> Any:
    """With half a surrogate pair written out: no other program could be told of it."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_speakable(name): _speakable(each) for name, each in value.items()}
    return [_speakable(each) for each in value] if isinstance(value, list) else value


def _not_an_object(record: Record | Any) -> str:
    if isinstance(record, list):
        return "it is a JSON array; each event needs a line of its own: jq -c '.[]'"
    return "it is no JSON object"
