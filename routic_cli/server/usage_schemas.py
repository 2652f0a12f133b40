"""What the admin API takes and answers about usage, as JSON Schema."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.times import LATEST
from routic_cli.domain.usage import EARLIEST, MOST_COST, Flag
from routic_cli.server.schema_parts import (
    ANY_WHOLE,
    EVENT_ID,
    KEY_ID,
    NONE,
    SHA256,
    TEXT,
    VERSION_NUMBER,
    Schema,
    array,
    constant,
    listing,
    nullable,
    obj,
    one_of,
    ref,
    whole,
)
from routic_cli.transport.wire.usage import HIGHEST_STATUS, MOST_EVENTS, MOST_TOKENS

_MONEY: Final[Schema] = {"type": "number", "description": "In the account's currency; nine decimals are kept."}
_CALLED: Final = whole(EARLIEST, LATEST, "Unix seconds, at most a day ahead of the server's clock.")

# What is written may leave out all but these two; what is read has everything.
_REPORTED: Final = obj(
    {"time": _CALLED, "outcome": TEXT | {"description": "`allowed`, or why not."}},
    {
        "object": constant("usage.event"),
        "id": nullable(EVENT_ID),
        "key_id": nullable(KEY_ID),
        "version": nullable(VERSION_NUMBER),
        "sha256": nullable(SHA256),
        "method": nullable(TEXT),
        "path": nullable(TEXT) | {"description": "Without the query. Long texts are cut, keys in them masked."},
        "status": nullable(whole(0, HIGHEST_STATUS)),
        "address": nullable(TEXT),
        "agent": nullable(TEXT),
        "origin": nullable(TEXT),
        "tokens_in": nullable(whole(0, MOST_TOKENS)),
        "tokens_out": nullable(whole(0, MOST_TOKENS)),
        "cost": nullable(_MONEY | {"minimum": 0, "maximum": MOST_COST}),
        "model": nullable(TEXT),
        "request_id": nullable(TEXT),
        "flags": array(one_of(Flag)),
    },
)
_EVENT: Final[dict[str, Schema]] = {
    "object": constant("usage.event"),
    "id": EVENT_ID,
    "time": {"type": "integer"},
    "key_id": nullable(KEY_ID),
    "version": nullable(VERSION_NUMBER),
    "sha256": {**nullable(SHA256), "description": "Of a key that the store does not know."},
    "outcome": {**TEXT, "description": "`allowed`, or why not."},
    "method": TEXT,
    "path": TEXT,
    "status": {"type": "integer"},
    "address": TEXT,
    "agent": TEXT,
    "origin": nullable(TEXT),
    "tokens_in": nullable(ANY_WHOLE),
    "tokens_out": nullable(ANY_WHOLE),
    "cost": nullable(_MONEY),
    "model": nullable(TEXT),
    "request_id": TEXT,
    "flags": array(one_of(Flag)),
}
_SUMMARY: Final = obj(
    {
        "object": constant("usage.summary"),
        "calls": whole(1, 1 << 62),
        "errors": {**whole(0, 1 << 62), "description": "Those with a status of 400 or more."},
        "tokens_in": ANY_WHOLE,
        "tokens_out": ANY_WHOLE,
        "cost": _MONEY,
        "first_at": ANY_WHOLE,
        "last_at": ANY_WHOLE,
    },
    {
        "key_id": nullable(TEXT) | {"description": "With `by=key`; null for calls without a key of ours."},
        "key_name": nullable(TEXT),
        "hour": ANY_WHOLE | {"description": "Its first second."},
        "version": nullable(VERSION_NUMBER),
        "status": ANY_WHOLE,
        "network": nullable(TEXT) | {"description": "The /24 or /48 around the address."},
        "family": nullable(TEXT) | {"description": "The program behind the agent, without its version."},
        "flags": array(one_of(Flag)),
        **{name: nullable(TEXT) for name in ("outcome", "method", "address", "agent", "origin", "model")},
    },
    description="A field for each `by` of the question.",
)
_FINDING: Final = obj(
    {
        "rule": one_of(RuleName),
        "severity": one_of(Severity),
        "key_id": nullable(TEXT),
        "key_name": nullable(TEXT),
        "count": whole(0, 1 << 62),
        "first_at": nullable(ANY_WHOLE),
        "last_at": nullable(ANY_WHOLE),
        "addresses": array(TEXT),
        "evidence": TEXT,
        "remedy": {**nullable(TEXT), "description": "A command, where there is one."},
    }
)
USAGE_SCHEMAS: Final[dict[str, Schema]] = {
    "UsageEvent": obj(_EVENT),
    "UsageEventList": listing(ref("UsageEvent"), nullable(EVENT_ID)),
    "UsageEvents": obj({"events": array(_REPORTED, maxItems=MOST_EVENTS)}),
    "AppendedUsage": obj(
        {
            "object": constant("usage.appended"),
            "new": whole(0, MOST_EVENTS),
            "known": {**whole(0, MOST_EVENTS), "description": "Events that the log had already."},
        }
    ),
    "PrunedUsage": obj({"object": constant("usage.pruned"), "events": whole(0, 1 << 62)}),
    "UsageSummary": _SUMMARY,
    "UsageSummaryList": listing(ref("UsageSummary"), NONE),
    "Finding": _FINDING,
    "FindingList": listing(ref("Finding"), NONE),
}
