"""routic's own: the objects of GET /admin/v1/usage, one a line."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.keys import KeyId, is_key_id
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.domain.secret import Fingerprint, is_fingerprint
from routic_cli.domain.usage import Flag, UsageEvent, event_mark
from routic_cli.importing.logs.credentials import in_uri, masked
from routic_cli.importing.logs.fields import ABSENT, BadLineError, Record, cost, moment, status, text, whole_number

NAME: Final = "routic JSON lines"

_LOWEST_IDENTITY: Final = 1 - (1 << 63)
_FLAGS: Final = frozenset(Flag)


def recognises(record: Record) -> bool:
    """An outcome and a time, which are called so nowhere else."""
    return "outcome" in record and "time" in record


def names_request(record: Record) -> bool:
    """Whether it has its id."""
    return record.get("request_id") not in ABSENT


def read(record: Record, identity: int) -> UsageEvent:
    """The event of one object; one that carries an id is the event of that id."""
    outcome = text(record, "outcome")
    if not outcome:
        raise BadLineError("'outcome' is empty")
    event_id = text(record, "id")
    mark = event_mark(event_id)
    if event_id and mark is None:
        raise BadLineError("'id' is not an event's id")
    return UsageEvent(
        moment(record.get("time"), "time"),
        masked(outcome),
        masked(text(record, "method")),
        in_uri(text(record, "path")).path,
        status(record),
        masked(text(record, "address")),
        masked(text(record, "agent")),
        masked(text(record, "request_id")),
        _flags(record),
        _key_id(record),
        whole_number(record, "version", lowest=1, highest=HIGHEST_VERSION),
        _sha256(record),
        None,
        masked(text(record, "origin")) or None,
        whole_number(record, "tokens_in"),
        whole_number(record, "tokens_out"),
        cost(record, "cost"),
        masked(text(record, "model")) or None,
        identity if mark is None else max(mark.identity, _LOWEST_IDENTITY),
    )


def _key_id(record: Record) -> KeyId | None:
    value = text(record, "key_id")
    if value and not is_key_id(value):
        raise BadLineError("'key_id' is not a key id")
    return KeyId(value) if value else None


def _sha256(record: Record) -> Fingerprint | None:
    value = text(record, "sha256")
    if value and not is_fingerprint(value):
        raise BadLineError("'sha256' is not a SHA-256 in hexadecimal")
    return Fingerprint(value) if value else None


def _flags(record: Record) -> tuple[str, ...]:
    value = record.get("flags")
    if not value:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) and each in _FLAGS for each in value):
        raise BadLineError("'flags' has one that routic does not know")
    return tuple(dict.fromkeys(value))
