"""What usage is asked for, as the query part of an address and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from routic_cli.domain.audit.findings import AuditQuery, RuleName
from routic_cli.domain.audit.policy import HIGHEST, THRESHOLDS, Policy
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import KeyId, UnixSeconds, is_key_id
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.domain.traffic import Dimension, EventQuery, TrafficQuery, TrafficSort
from routic_cli.domain.usage import EventMark, Flag, event_id, event_mark
from routic_cli.transport.wire.queries import HIGHEST_LIMIT, Asked, Parameters

E = TypeVar("E", bound=StrEnum)

AUDITED_SECONDS: Final = 7 * 86_400
"""How far back an audit looks, and not further, unless `since` says."""
MOST_ROWS: Final = 100_000
"""Of one summary: by address and agent there may be millions, and the client has to hold them all."""
_THRESHOLD: Final = re.compile("([a-z_]+):([1-9][0-9]{0,11})", re.ASCII)


def event_parameters(query: EventQuery) -> Parameters:
    """GET /usage."""
    after = None if query.after is None else event_id(query.after)
    return [
        *_pairs(since=query.since, until=query.until, after=after, limit=min(query.limit, HIGHEST_LIMIT)),
        *_each("key_id", query.key_ids),
    ]


def event_query_from(asked: Asked) -> EventQuery:
    """The query of a GET /usage."""
    query = EventQuery(
        since=asked.number("since"),
        until=asked.number("until"),
        key_ids=_key_ids(asked) or None,
        after=_mark(asked.one("after")),
        limit=asked.limit(),
    )
    asked.end()
    return query


def traffic_parameters(query: TrafficQuery) -> Parameters:
    """GET /usage/summary. A limit that no reply can reach is none: the server says so when there are too many rows."""
    sort = None if query.sort is None else f"{'-' if query.descending else ''}{query.sort}"
    limit = None if query.limit is None or query.limit > MOST_ROWS else query.limit
    return [
        *_each("by", query.by),
        *_pairs(since=query.since, until=query.until, version=query.version, flag=query.flag),
        *_pairs(sort=sort, limit=limit),
        *_each("key_id", query.key_ids),
        *_each("outcome", query.outcomes),
    ]


def traffic_query_from(asked: Asked) -> TrafficQuery:
    """The query of a GET /usage/summary."""
    by = tuple(_member(Dimension, text, "by") for text in asked.many("by"))
    if len(set(by)) < len(by):
        raise InvalidRequestError("'by' has one twice", param="by")
    flag, sort = asked.one("flag"), asked.one("sort")
    query = TrafficQuery(
        by=by,
        since=asked.number("since"),
        until=asked.number("until"),
        key_ids=_key_ids(asked) or None,
        version=asked.number("version", lowest=1, highest=HIGHEST_VERSION),
        outcomes=tuple(asked.many("outcome")) or None,
        flag=None if flag is None else _member(Flag, flag, "flag").value,
        sort=None if sort is None else _member(TrafficSort, sort.removeprefix("-"), "sort"),
        descending=sort is not None and sort.startswith("-"),
        limit=asked.number("limit", lowest=1, highest=MOST_ROWS),
    )
    asked.end()
    return query


def audit_parameters(query: AuditQuery) -> Parameters:
    """GET /usage/audit; of the policy only what differs from the default one."""
    thresholds = [f"{name}:{value}" for name, value in query.policy.changes().items()]
    return [
        *_pairs(since=query.since, until=query.until),
        *_each("rule", query.rules),
        *_each("key_id", query.key_ids),
        *_each("policy", thresholds),
    ]


def audit_query_from(asked: Asked, now: UnixSeconds) -> AuditQuery:
    """The query of a GET /usage/audit; the last week unless it says otherwise."""
    since, until = asked.number("since"), asked.number("until")
    until = now if until is None else until
    query = AuditQuery(
        since=max(0, until - AUDITED_SECONDS) if since is None else since,
        until=until,
        rules=tuple(_member(RuleName, text, "rule") for text in asked.many("rule")),
        key_ids=_key_ids(asked),
        policy=_policy(asked.many("policy")),
    )
    asked.end()
    return query


def prune_parameters(before: UnixSeconds) -> Parameters:
    """DELETE /usage."""
    return _pairs(before=before)


def prune_from(asked: Asked) -> UnixSeconds:
    """Before when the events are to be forgotten; it has to be said."""
    before = asked.number("before")
    asked.end()
    if before is None:
        raise InvalidRequestError("The address lacks 'before'", why="It takes unix seconds", param="before")
    return before


def _pairs(**values: str | int | None) -> Parameters:
    return [(name, str(value)) for name, value in values.items() if value is not None]


def _each(name: str, values: Iterable[str] | None) -> Parameters:
    return [(name, str(value)) for value in values or ()]


def _key_ids(asked: Asked) -> tuple[KeyId, ...]:
    texts = asked.many("key_id")
    if not all(map(is_key_id, texts)):
        raise InvalidRequestError(
            "'key_id' is not a key id", why="GET /admin/v1/keys?ref=NAME tells it", param="key_id"
        )
    return tuple(KeyId(text) for text in texts)


def _mark(text: str | None) -> EventMark | None:
    mark = None if text is None else event_mark(text)
    if text is not None and mark is None:
        raise InvalidRequestError(
            "'after' is not the id of an event", why="A page begins behind an event", param="after"
        )
    return mark


def _policy(texts: Sequence[str]) -> Policy:
    """The default thresholds with these changes; of one that is given twice the last holds."""
    try:
        return Policy().changed(dict(map(_threshold, texts)))
    except (KeyError, ValueError):
        raise InvalidRequestError(
            "'policy' has a threshold that is not known, or one that is out of range",
            why=f"It takes NAME:NUMBER, from 1 to {HIGHEST}, of: {', '.join(THRESHOLDS)}",
            param="policy",
        ) from None


def _threshold(text: str) -> tuple[str, int]:
    """ValueError for what is none."""
    match = _THRESHOLD.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match[1], int(match[2])


def _member(kind: type[E], text: str, param: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise InvalidRequestError(f"'{param}' must be one of: {', '.join(kind)}", param=param) from None
