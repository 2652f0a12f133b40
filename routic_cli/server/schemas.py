"""What the admin API takes and answers, as JSON Schema: the components of the OpenAPI document."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from routic_cli.domain.audit.findings import RuleName, Severity
from routic_cli.domain.keys import KEY_ID_ALPHABET, KEY_ID_LENGTH, KeyStatus, Scope, VerdictStatus, VersionStatus
from routic_cli.domain.rules import HIGHEST_RPM, HIGHEST_VERSION, NAME_LENGTH, REASON_LENGTH, TAG_VALUE_LENGTH
from routic_cli.domain.times import LATEST
from routic_cli.domain.usage import Flag
from routic_cli.transport.wire.usage import HIGHEST_STATUS, MOST_COST, MOST_EVENTS, MOST_TOKENS

Schema = dict[str, object]

KEY_ID_PATTERN: Final = f"^key_[{KEY_ID_ALPHABET}]{{{KEY_ID_LENGTH}}}$"
_PRINTABLE: Final = r"^[ \p{L}\p{M}\p{N}\p{P}\p{S}]*$"
_TAG_NAME: Final = "^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: dict[str, Schema], optional: dict[str, Schema] | None = None, **more: object) -> Schema:
    """An object without other fields than these."""
    properties = required | (optional or {})
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def one_of(kind: type[StrEnum]) -> Schema:
    """Any value of an enumeration."""
    return {"type": "string", "enum": [member.value for member in kind]}


def array(items: Schema, **more: object) -> Schema:
    """An array of such items."""
    return {"type": "array", "items": items, **more}


def nullable(schema: Schema) -> Schema:
    """The same, or null. `schema` has a single type, and no enumeration."""
    return schema | {"type": [schema["type"], "null"]}


def whole(lowest: int, highest: int, description: str = "") -> Schema:
    """A whole number within its bounds."""
    schema: Schema = {"type": "integer", "minimum": lowest, "maximum": highest}
    return schema | ({"description": description} if description else {})


def _constant(text: str) -> Schema:
    return {"type": "string", "const": text}


KEY_ID: Final[Schema] = {"type": "string", "pattern": KEY_ID_PATTERN}
SHA256: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9a-f]{64}$",
    "description": "SHA-256 of the secret's UTF-8 text, in lowercase hexadecimal.",
}
_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
EVENT_ID: Final[Schema] = {
    "type": "string",
    "pattern": "^evt_[0-9a-f]{32}$",
    "description": "The second, and 16 digits that tell events of one second apart.",
}
TIME: Final = whole(0, LATEST, "Unix seconds.")
_NAME: Final[Schema] = {
    "type": "string",
    "minLength": 1,
    "maxLength": NAME_LENGTH,
    "pattern": r"^[\p{L}\p{Nd}][\p{L}\p{Nd}._-]*$",
    "description": "Kept in Unicode normal form C. No beginning of a key id, nothing shaped like a secret.",
}
_HINT: Final[Schema] = {
    "type": "string",
    "pattern": "^(sk-)?[ -~]{0,4}(…|[.]{3})[ -~]{0,4}$",
    "description": "The mask of the secret, such as sk-AbCd…WxYz.",
}
_RPM: Final = nullable(whole(1, HIGHEST_RPM, "Requests per minute; null is no limit of the key's own."))
_TAG: Final[Schema] = {"type": "string", "maxLength": TAG_VALUE_LENGTH, "pattern": _PRINTABLE}
_REASON: Final = nullable({"type": "string", "maxLength": REASON_LENGTH, "pattern": _PRINTABLE})
_NUMBER: Final = whole(1, HIGHEST_VERSION, "Versions are numbered from 1.")


def _tags(value: Schema) -> Schema:
    return nullable({"type": "object", "propertyNames": {"pattern": _TAG_NAME}, "additionalProperties": value})


_END: Final = nullable(whole(1, LATEST, "Unix seconds, ahead of the server's clock; null for never."))
_LIMITS: Final = nullable(obj({}, {"rpm": _RPM}))
_TRAITS: Final[dict[str, Schema]] = {
    "scopes": array(one_of(Scope), minItems=1, description="What the key may do; `api` alone unless given."),
    "tags": _tags(_TAG) | {"description": "At most 32."},
    "limits": _LIMITS,
    "expires_at": _END,
}
_SECRET: Final[dict[str, Schema]] = {"sha256": SHA256, "hint": _HINT}

# Of a batch, each key is judged alone: what breaks a rule is an error in its result, what has another type is none.
_ANY_WHOLE: Final[Schema] = {"type": "integer"}
_MONEY: Final[Schema] = {"type": "number", "description": "In the account's currency; nine decimals are kept."}
_BATCH_ITEM: Final = obj(
    {"id": _TEXT, "name": _TEXT, "sha256": _TEXT, "hint": _TEXT},
    {
        "version": _ANY_WHOLE,
        "scopes": array(one_of(Scope)),
        "tags": nullable({"type": "object", "additionalProperties": _TEXT}),
        "limits": nullable(obj({}, {"rpm": nullable(_ANY_WHOLE)})),
        "expires_at": nullable(_ANY_WHOLE),
        "created_at": _ANY_WHOLE,
    },
)

_COUNTS: Final = obj({status.value: whole(0, 1 << 53) for status in KeyStatus})
_CURRENCY: Final[Schema] = {"type": "string", "pattern": "^[A-Z]{3}$", "description": "Its code, such as EUR."}
_AMOUNT: Final = r"^-?(9000000000([.]0{1,9})?|[0-8]?[0-9]{1,9}([.][0-9]{1,9})?)$"

_KEY: Final[dict[str, Schema]] = {
    "object": _constant("api_key"),
    "id": KEY_ID,
    "name": _TEXT,
    "status": one_of(KeyStatus),
    "hint": {**_TEXT, "description": "The mask of the current version."},
    "version": {**_NUMBER, "description": "The number of the current version."},
    "versions": array(ref("KeyVersion"), minItems=1),
    "scopes": array(one_of(Scope), minItems=1),
    "tags": {"type": "object", "additionalProperties": _TEXT},
    "limits": obj({"rpm": _RPM}),
    "created_at": TIME,
    "expires_at": nullable(TIME),
    "last_used_at": nullable(_ANY_WHOLE | {"description": "Unix seconds, as the usage log has it."}),
    "revoked_at": nullable(TIME),
    "revoke_reason": nullable(_TEXT),
    "usage_since": nullable(
        _ANY_WHOLE
        | {
            "description": "Since when the usage log would tell of a use, in unix seconds; null where nothing is known."
            " A key without `last_used_at` that was created after that was never used."
        }
    ),
}
_ERROR: Final = obj(
    {
        "message": {**_TEXT, "description": "All there is to say: what happened, why, and what was not done."},
        "type": _TEXT,
        "param": nullable(_TEXT),
        "code": {**_TEXT, "description": "Stable; what a program goes by."},
        "what": _TEXT,
    },
    {"why": _TEXT, "not_done": _TEXT, "remedy": {**_TEXT, "description": "What mends it, a command mostly."}},
)


def _list(item: Schema, first: Schema, optional: dict[str, Schema] | None = None) -> Schema:
    return obj(
        {
            "object": _constant("list"),
            "data": array(item),
            "first_id": first,
            "last_id": first,
            "has_more": _FLAG,
        },
        optional,
    )


def _unless_null(name: str) -> Schema:
    return {"anyOf": [ref(name), {"type": "null"}]}


# What is written may leave out all but these two; what is read has everything.
_REPORTED: Final = obj(
    {"time": TIME, "outcome": _TEXT | {"description": "`allowed`, or why not."}},
    {
        "object": _constant("usage.event"),
        "id": nullable(EVENT_ID),
        "key_id": nullable(KEY_ID),
        "version": nullable(_NUMBER),
        "sha256": nullable(SHA256),
        "method": nullable(_TEXT),
        "path": nullable(_TEXT) | {"description": "Without the query. Long texts are cut, keys in them masked."},
        "status": nullable(whole(0, HIGHEST_STATUS)),
        "address": nullable(_TEXT),
        "agent": nullable(_TEXT),
        "origin": nullable(_TEXT),
        "tokens_in": nullable(whole(0, MOST_TOKENS)),
        "tokens_out": nullable(whole(0, MOST_TOKENS)),
        "cost": nullable(_MONEY | {"minimum": 0, "maximum": MOST_COST}),
        "model": nullable(_TEXT),
        "request_id": nullable(_TEXT),
        "flags": array(one_of(Flag)),
    },
)
_EVENT: Final[dict[str, Schema]] = {
    "object": _constant("usage.event"),
    "id": EVENT_ID,
    "time": {"type": "integer"},
    "key_id": nullable(KEY_ID),
    "version": nullable(_NUMBER),
    "sha256": {**nullable(SHA256), "description": "Of a key that the store does not know."},
    "outcome": {**_TEXT, "description": "`allowed`, or why not."},
    "method": _TEXT,
    "path": _TEXT,
    "status": {"type": "integer"},
    "address": _TEXT,
    "agent": _TEXT,
    "origin": nullable(_TEXT),
    "tokens_in": nullable(_ANY_WHOLE),
    "tokens_out": nullable(_ANY_WHOLE),
    "cost": nullable(_MONEY),
    "model": nullable(_TEXT),
    "request_id": _TEXT,
    "flags": array(one_of(Flag)),
}
_SUMMARY: Final = obj(
    {
        "object": _constant("usage.summary"),
        "calls": whole(1, 1 << 62),
        "errors": {**whole(0, 1 << 62), "description": "Those with a status of 400 or more."},
        "tokens_in": _ANY_WHOLE,
        "tokens_out": _ANY_WHOLE,
        "cost": _MONEY,
        "first_at": _ANY_WHOLE,
        "last_at": _ANY_WHOLE,
    },
    {
        "key_id": nullable(_TEXT) | {"description": "With `by=key`; null for calls without a key of ours."},
        "key_name": nullable(_TEXT),
        "hour": _ANY_WHOLE | {"description": "Its first second."},
        "version": nullable(_NUMBER),
        "status": _ANY_WHOLE,
        "network": nullable(_TEXT) | {"description": "The /24 or /48 around the address."},
        "family": nullable(_TEXT) | {"description": "The program behind the agent, without its version."},
        "flags": array(one_of(Flag)),
        **{name: nullable(_TEXT) for name in ("outcome", "method", "address", "agent", "origin", "model")},
    },
    description="A field for each `by` of the question.",
)
_FINDING: Final = obj(
    {
        "rule": one_of(RuleName),
        "severity": one_of(Severity),
        "key_id": nullable(_TEXT),
        "key_name": nullable(_TEXT),
        "count": whole(0, 1 << 62),
        "first_at": nullable(_ANY_WHOLE),
        "last_at": nullable(_ANY_WHOLE),
        "addresses": array(_TEXT),
        "evidence": _TEXT,
        "remedy": {**nullable(_TEXT), "description": "A command, where there is one."},
    }
)
_NONE: Final[Schema] = {"type": "null"}

SCHEMAS: Final[dict[str, Schema]] = {
    "Key": obj(_KEY),
    "KeyVersion": obj(
        {
            "version": _NUMBER,
            "status": one_of(VersionStatus),
            "hint": _TEXT,
            "sha256": SHA256,
            "created_at": TIME,
            "expires_at": nullable(TIME),
            "last_used_at": nullable(_ANY_WHOLE),
        }
    ),
    "MintedKey": obj(_KEY | {"value": {**_TEXT, "description": "The secret, in this reply and nowhere else."}}),
    "KeyList": _list(
        ref("Key"),
        nullable(KEY_ID),
        {"counts": _COUNTS},
    ),
    "RevokedKey": obj(_KEY | {"changed": {**_FLAG, "description": "False when it was revoked before."}}),
    "Revocation": {
        "anyOf": [
            obj(_KEY | {"changed": _FLAG, "target": _TEXT}),
            obj(
                {
                    "object": _constant("api_key"),
                    "id": {"type": "null", "description": "No key answers to the target."},
                    "target": _TEXT,
                    "changed": {"type": "boolean", "const": False},
                }
            ),
        ]
    },
    "RevocationList": _list(ref("Revocation"), nullable(KEY_ID)),
    "Registration": {
        "anyOf": [
            obj(_KEY | {"created": {**_FLAG, "description": "False when its secret was here already."}}),
            obj(
                {
                    "object": _constant("api_key"),
                    "id": {"type": "null", "description": "The key was kept out."},
                    "created": {"type": "boolean", "const": False},
                    "error": _ERROR,
                }
            ),
        ]
    },
    "RegistrationList": _list(ref("Registration"), nullable(KEY_ID)),
    "Verification": obj(
        {
            "object": _constant("api_key.verification"),
            "status": one_of(VerdictStatus),
            "hint": nullable(_TEXT),
            "detail": nullable(_TEXT),
            "version": nullable(_NUMBER),
            "key": _unless_null("Key"),
        }
    ),
    "VerificationList": _list(ref("Verification"), {"type": "null"}),
    "DeletedVersion": obj(
        {
            "object": _constant("api_key.version"),
            "id": KEY_ID,
            "version": _NUMBER,
            "deleted": {"type": "boolean", "const": True},
        }
    ),
    "UsageEvent": obj(_EVENT),
    "UsageEventList": _list(ref("UsageEvent"), nullable(EVENT_ID)),
    "UsageEvents": obj({"events": array(_REPORTED, maxItems=MOST_EVENTS)}),
    "AppendedUsage": obj(
        {
            "object": _constant("usage.appended"),
            "new": whole(0, MOST_EVENTS),
            "known": {**whole(0, MOST_EVENTS), "description": "Events that the log had already."},
        }
    ),
    "PrunedUsage": obj({"object": _constant("usage.pruned"), "events": whole(0, 1 << 62)}),
    "UsageSummary": _SUMMARY,
    "UsageSummaryList": _list(ref("UsageSummary"), _NONE),
    "Finding": _FINDING,
    "FindingList": _list(ref("Finding"), _NONE),
    "TrailEntry": obj(
        {
            "object": _constant("trail.entry"),
            "id": whole(1, 1 << 62),
            "at": TIME,
            "actor": _TEXT,
            "action": _TEXT,
            "key_id": nullable({**_TEXT, "description": "null for a change of the account."}),
            "detail": {"type": "object", "description": "What changed; never a secret."},
        }
    ),
    "TrailList": _list(ref("TrailEntry"), nullable(whole(1, 1 << 62))),
    "Account": obj(
        {
            "object": _constant("account"),
            "name": _TEXT,
            "currency": _CURRENCY,
            "balance": nullable({**_TEXT, "description": "What is left now; null where none was set."}),
            "balance_set_at": nullable(TIME),
            "spent": {**_TEXT, "description": "All that its calls have cost, as the usage log has it."},
            "keys": _COUNTS,
        }
    ),
    "AccountChanges": obj(
        {},
        {
            "balance": nullable({"type": "string", "pattern": _AMOUNT})
            | {"description": "Up to nine digits behind the point, at most 9,000,000,000; null for none."},
            "currency": _CURRENCY,
        },
        description="Null clears, absent keeps.",
    ),
    "Error": obj({"error": _ERROR}),
    "Health": obj({"status": _constant("ok")}),
    "Readiness": obj({"status": _constant("ready")}),
    "NewKey": obj({"name": _NAME, **_SECRET}, _TRAITS | {"created_at": TIME}),
    "KeyToMint": obj({"name": _NAME}, _TRAITS),
    "KeyBatch": obj({"keys": array(_BATCH_ITEM)}),
    "KeyChanges": obj(
        {},
        {
            "name": _NAME,
            "tags": _tags(nullable(_TAG)) | {"description": "null removes a tag; null for all removes all."},
            "limits": _LIMITS,
            "expires_at": _END,
        },
        description="Null clears, absent keeps.",
    ),
    "NewVersion": obj(dict(_SECRET), {"created_at": TIME}),
    "VersionEnd": obj({"expires_at": {**nullable(TIME), "description": "Unix seconds; null lets it live on."}}),
    "Reason": obj({}, {"reason": _REASON}),
    "KeysToRevoke": {
        "description": "One of `sha256`, `ids` and `targets`, which takes both kinds.",
        "oneOf": [
            obj({"sha256": array(SHA256)}, {"reason": _REASON}),
            obj({"ids": array(KEY_ID)}, {"reason": _REASON}),
            obj({"targets": array({"anyOf": [SHA256, KEY_ID]})}, {"reason": _REASON}),
        ],
    },
    "Fingerprint": obj({"sha256": SHA256}),
    "Fingerprints": obj({"sha256": array(SHA256)}),
}
