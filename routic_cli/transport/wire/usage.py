"""Usage as JSON and back: events, counts, findings.

A cost is a number in the account's currency. Within it are billionths; 15 digits of a number survive every reader of
JSON, so a cost below a million is exact, and a sum beyond it is the nearest number there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import KeyId, UnixSeconds, is_key_id
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.times import LATEST
from routic_cli.domain.traffic import Appended, Dimension, EventPage, Label, Summary, Traffic
from routic_cli.domain.usage import (
    AHEAD,
    BILLIONTHS,
    EARLIEST,
    MOST_COST,
    EventMark,
    Flag,
    UsageEvent,
    event_id,
    event_mark,
    path_in,
)
from routic_cli.transport.wire.fields import Fields
from routic_cli.transport.wire.objects import JsonObject
from routic_cli.transport.wire.requests import checked_fingerprint

E = TypeVar("E", bound=StrEnum)

MOST_EVENTS: Final = 5000
"""In one request."""
HIGHEST_STATUS: Final = 999
MOST_TOKENS: Final = 10**12
_LOWEST_IDENTITY: Final = 1 - (1 << 63)
_EVENT: Final = "usage.event"

EVENT_FIELDS: Final = (
    "object",
    "id",
    "time",
    "key_id",
    "version",
    "sha256",
    "outcome",
    "method",
    "path",
    "status",
    "address",
    "agent",
    "origin",
    "tokens_in",
    "tokens_out",
    "cost",
    "model",
    "request_id",
    "flags",
)
COUNT_FIELDS: Final = ("calls", "errors", "tokens_in", "tokens_out", "cost", "first_at", "last_at")
FINDING_FIELDS: Final = (
    "rule",
    "severity",
    "key_id",
    "key_name",
    "count",
    "first_at",
    "last_at",
    "addresses",
    "evidence",
    "remedy",
)


def cost_number(cost: int | None) -> float | None:
    """Billionths as a number in the currency."""
    return None if cost is None else cost / BILLIONTHS


def billionths(number: float) -> int:
    """The cost that `cost_number` made the number of."""
    return number * BILLIONTHS if isinstance(number, int) else round(number * BILLIONTHS)


def event_object(event: UsageEvent) -> JsonObject:
    """One call. `id` is null for an event that has no identity yet."""
    return {
        "object": _EVENT,
        "id": None if event.identity is None else event_id(EventMark(event.time, event.identity)),
        "time": event.time,
        "key_id": event.key_id,
        "version": event.version,
        "sha256": event.sha256,
        "outcome": event.outcome,
        "method": event.method,
        "path": event.path,
        "status": event.status,
        "address": event.address,
        "agent": event.agent,
        "origin": event.origin,
        "tokens_in": event.tokens_in,
        "tokens_out": event.tokens_out,
        "cost": cost_number(event.cost),
        "model": event.model,
        "request_id": event.request_id,
        "flags": list(event.flags),
    }


def event_from(data: object) -> UsageEvent:
    """An event object; fields that are not known are passed over, all but `time` and `outcome` may be left out."""
    return _event(Fields(data, "The event"))


def events_body(items: Sequence[JsonObject]) -> JsonObject:
    """POST /usage, of event objects."""
    return {"events": list(items)}


def events_from(data: object, now: UnixSeconds) -> list[UsageEvent]:
    """The events of a POST. What is wrong with one is said with its place in the batch, never with its value.

    A time that is more than a day ahead of `now` is wrong, and one before there were such calls.
    """
    fields = Fields(data)
    items = fields.items("events")
    fields.end()
    if len(items) > MOST_EVENTS:
        raise InvalidRequestError(f"At most {MOST_EVENTS} events come in one request", param="events")
    return [_numbered(item, number, now) for number, item in enumerate(items)]


def page_of_events_from(data: object) -> EventPage:
    """A list of event objects, each with its id."""
    fields = Fields(data, "The list")
    events = tuple(event_from(item) for item in fields.items("data"))
    if any(event.identity is None for event in events):
        raise InvalidRequestError("An event of the list has no id")
    return EventPage(events, fields.flag("has_more"))


def appended_object(appended: Appended) -> JsonObject:
    """What came of a batch of events."""
    return {"object": "usage.appended", "new": appended.new, "known": appended.known}


def appended_from(data: object, sent: int) -> Appended:
    """What came of a batch of so many events."""
    fields = Fields(data, "The reply")
    appended = Appended(_count(fields, "new"), _count(fields, "known"))
    if appended.new + appended.known != sent:
        raise InvalidRequestError("It counts more or fewer events than were sent")
    return appended


def pruned_object(events: int) -> JsonObject:
    """How many events were forgotten."""
    return {"object": "usage.pruned", "events": events}


def pruned_from(data: object) -> int:
    """How many events were forgotten."""
    return _count(Fields(data, "The reply"), "events")


def summary_fields(by: Iterable[Dimension]) -> tuple[str, ...]:
    """The fields of a row that counts by these dimensions, in their order."""
    labels: list[str] = []
    for dimension in by:
        labels += ["key_id", "key_name"] if dimension is Dimension.KEY else [dimension.value]
    return ("object", *labels, *COUNT_FIELDS)


def summary_object(row: Traffic, by: Sequence[Dimension], key_names: Mapping[KeyId, str]) -> JsonObject:
    """The calls that have something in common, with a field for each dimension."""
    shown: JsonObject = {"object": "usage.summary"}
    for dimension, label in zip(by, row.labels, strict=True):
        if dimension is Dimension.KEY:
            key_id = None if label is None else KeyId(str(label))
            shown |= {"key_id": key_id, "key_name": None if key_id is None else key_names.get(key_id)}
        else:
            shown[dimension.value] = list(label) if isinstance(label, tuple) else label
    return shown | {
        "calls": row.calls,
        "errors": row.errors,
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "cost": cost_number(row.cost),
        "first_at": row.first_at,
        "last_at": row.last_at,
    }


def summary_from(data: object, by: Sequence[Dimension]) -> Summary:
    """A list of rows that count by these dimensions."""
    rows: list[Traffic] = []
    names: dict[KeyId, str] = {}
    for item in Fields(data, "The list").items("data"):
        fields = Fields(item, "The row")
        labels = tuple(_label(fields, dimension) for dimension in by)
        if Dimension.KEY in by and (name := fields.text_or_none("key_name")) is not None:
            names[KeyId(fields.text("key_id"))] = name
        calls, errors = _count(fields, "calls"), _count(fields, "errors")
        tokens = fields.integer("tokens_in"), fields.integer("tokens_out")
        times = fields.integer("first_at"), fields.integer("last_at")
        rows.append(Traffic(labels, calls, errors, *tokens, billionths(_number(fields, "cost")), *times))
    return Summary(tuple(rows), names)


def finding_object(finding: Finding) -> JsonObject:
    """One thing that should not be there."""
    return {
        "rule": finding.rule.value,
        "severity": finding.severity.value,
        "key_id": finding.key_id,
        "key_name": finding.key_name,
        "count": finding.count,
        "first_at": finding.first_at,
        "last_at": finding.last_at,
        "addresses": list(finding.addresses),
        "evidence": finding.evidence,
        "remedy": finding.remedy,
    }


def findings_from(data: object) -> list[Finding]:
    """A list of findings."""
    return [_finding(Fields(item, "The finding")) for item in Fields(data, "The list").items("data")]


def _numbered(item: object, number: int, now: UnixSeconds) -> UsageEvent:
    where = f"events[{number}]"
    fields = Fields(item, where)
    try:
        event = _event(fields)
        fields.end()
        if event.cost is not None and event.cost > MOST_COST * BILLIONTHS:
            raise InvalidRequestError(f"'cost' must be a number from 0 to {MOST_COST}", param="cost")
        if not EARLIEST <= event.time <= now + AHEAD:
            why = "A call is of 2015 at the earliest, and at most a day ahead of the server's clock"
            raise InvalidRequestError("'time' is of a clock that is wrong", why=why, param="time")
    except InvalidRequestError as error:
        what = error.what if error.what.startswith(where) else f"{where}: {error.what}"
        raise InvalidRequestError(what, why=error.why, param=f"{where}.{error.param}") from None
    return event


def _event(fields: Fields) -> UsageEvent:
    if "object" in fields and fields.text("object") != _EVENT:
        raise InvalidRequestError(f"'object' is not {_EVENT}", param="object")
    sha256, key_id = fields.text_or_none("sha256"), fields.text_or_none("key_id")
    if key_id is not None and not is_key_id(key_id):
        raise InvalidRequestError("'key_id' is not a key id", param="key_id")
    return UsageEvent(
        time=_whole(fields, "time", highest=LATEST),
        outcome=fields.text("outcome"),
        method=fields.text_or_none("method") or "",
        path=path_in(fields.text_or_none("path") or ""),
        status=_whole_or_none(fields, "status", highest=HIGHEST_STATUS) or 0,
        address=fields.text_or_none("address") or "",
        agent=fields.text_or_none("agent") or "",
        request_id=fields.text_or_none("request_id") or "",
        flags=_flags(fields) if "flags" in fields else (),
        key_id=None if key_id is None else KeyId(key_id),
        version=_whole_or_none(fields, "version", lowest=1, highest=HIGHEST_VERSION),
        sha256=None if sha256 is None else Fingerprint(checked_fingerprint(sha256)),
        origin=fields.text_or_none("origin"),
        tokens_in=_whole_or_none(fields, "tokens_in", highest=MOST_TOKENS),
        tokens_out=_whole_or_none(fields, "tokens_out", highest=MOST_TOKENS),
        cost=_cost(fields),
        model=fields.text_or_none("model"),
        identity=_identity(fields),
    )


def _identity(fields: Fields) -> int | None:
    """Of an id the part that tells events of one second apart: the second itself is `time`."""
    text = fields.text_or_none("id")
    if text is None:
        return None
    mark = event_mark(text)
    if mark is None:
        raise InvalidRequestError("'id' is not the id of an event", param="id")
    return max(mark.identity, _LOWEST_IDENTITY)


def _flags(fields: Fields) -> tuple[str, ...]:
    texts = fields.texts("flags")
    if not {flag.value for flag in Flag}.issuperset(texts):
        raise InvalidRequestError(
            "'flags' has one that is not known", why=f"The flags are: {', '.join(Flag)}", param="flags"
        )
    return tuple(dict.fromkeys(texts))


def _cost(fields: Fields) -> int | None:
    if "cost" not in fields or fields.is_null("cost"):
        return None
    number = _number(fields, "cost")
    if number < 0:
        raise InvalidRequestError("'cost' is less than nothing", param="cost")
    return billionths(number)


def _number(fields: Fields, name: str) -> float:
    number = fields.number(name)
    if not abs(number) < 10**12:  # infinite, or beyond every sum
        raise InvalidRequestError(f"'{name}' is out of range", param=name)
    return number


def _whole(fields: Fields, name: str, *, lowest: int = 0, highest: int) -> int:
    number = fields.integer(name)
    if not lowest <= number <= highest:
        raise InvalidRequestError(f"'{name}' must be a whole number from {lowest} to {highest}", param=name)
    return number


def _whole_or_none(fields: Fields, name: str, *, lowest: int = 0, highest: int) -> int | None:
    if fields.is_null(name):
        return None
    return _whole(fields, name, lowest=lowest, highest=highest)


def _count(fields: Fields, name: str) -> int:
    number = fields.integer(name)
    if number < 0:
        raise InvalidRequestError(f"'{name}' is less than nothing", param=name)
    return number


def _label(fields: Fields, dimension: Dimension) -> Label:
    name = "key_id" if dimension is Dimension.KEY else dimension.value
    if name not in fields:
        raise InvalidRequestError(f"The row lacks '{name}'", param=name)
    if dimension in {Dimension.HOUR, Dimension.STATUS}:
        return fields.integer(name)
    if dimension is Dimension.VERSION:
        return fields.integer_or_none(name)
    if dimension is Dimension.FLAGS:
        return tuple(fields.texts(name))
    return fields.text_or_none(name)


def _finding(fields: Fields) -> Finding:
    key_id = fields.text_or_none("key_id")
    return Finding(
        rule=_member(RuleName, fields.text("rule")),
        severity=_member(Severity, fields.text("severity")),
        key_id=None if key_id is None else KeyId(key_id),
        key_name=fields.text_or_none("key_name"),
        count=_count(fields, "count"),
        first_at=fields.integer_or_none("first_at"),
        last_at=fields.integer_or_none("last_at"),
        addresses=tuple(fields.texts("addresses")),
        evidence=fields.text("evidence"),
        remedy=fields.text_or_none("remedy"),
    )


def _member(kind: type[E], text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise InvalidRequestError(f"The reply has a {kind.__name__} that this routic does not know") from None
