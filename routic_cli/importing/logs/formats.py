"""The formats of logs that can be read, and telling them apart by what is in a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs import caddy, litellm, nginx, routic
from routic_cli.importing.logs.fields import Record


class Format(NamedTuple):
    """One format: what people call it, whether a record is of it, and the event in one that is.

    `names_request` says whether it has an id that no other request has. `read` is given the identity of the line, for
    an event that brings none of its own.
    """

    name: str
    recognises: Callable[[Record], bool]
    names_request: Callable[[Record], bool]
    read: Callable[[Record, int], UsageEvent]


FORMATS: Final = tuple(
    Format(each.NAME, each.recognises, each.names_request, each.read) for each in (routic, litellm, caddy, nginx)
)


def format_of(record: Record) -> Format | None:
    """The format of a record, the most telling first; None for no log of ours."""
    return next((each for each in FORMATS if each.recognises(record)), None)
