"""What the admin API takes and answers, as JSON Schema: the components of the OpenAPI document."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.keys import KeyStatus, Scope, VerdictStatus, VersionStatus
from routic_cli.domain.rules import HIGHEST_RPM, NAME_LENGTH, REASON_LENGTH, TAG_VALUE_LENGTH
from routic_cli.domain.times import LATEST
from routic_cli.server.schema_parts import (
    ANY_WHOLE,
    FLAG,
    KEY_ID,
    SHA256,
    TEXT,
    TIME,
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
from routic_cli.server.usage_schemas import USAGE_SCHEMAS

_PRINTABLE: Final = r"^[ \p{L}\p{M}\p{N}\p{P}\p{S}]*$"
_TAG_NAME: Final = "^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"

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
_BATCH_ITEM: Final = obj(
    {"id": TEXT, "name": TEXT, "sha256": TEXT, "hint": TEXT},
    {
        "version": ANY_WHOLE,
        "scopes": array(one_of(Scope)),
        "tags": nullable({"type": "object", "additionalProperties": TEXT}),
        "limits": nullable(obj({}, {"rpm": nullable(ANY_WHOLE)})),
        "expires_at": nullable(ANY_WHOLE),
        "created_at": ANY_WHOLE,
    },
)

_COUNTS: Final = obj({status.value: whole(0, 1 << 53) for status in KeyStatus})
_CURRENCY: Final[Schema] = {"type": "string", "pattern": "^[A-Z]{3}$", "description": "Its code, such as EUR."}
_AMOUNT: Final = r"^-?(9000000000([.]0{1,9})?|[0-8]?[0-9]{1,9}([.][0-9]{1,9})?)$"

_KEY: Final[dict[str, Schema]] = {
    "object": constant("api_key"),
    "id": KEY_ID,
    "name": TEXT,
    "status": one_of(KeyStatus),
    "hint": {**TEXT, "description": "The mask of the current version."},
    "version": {**VERSION_NUMBER, "description": "The number of the current version."},
    "versions": array(ref("KeyVersion"), minItems=1),
    "scopes": array(one_of(Scope), minItems=1),
    "tags": {"type": "object", "additionalProperties": TEXT},
    "limits": obj({"rpm": _RPM}),
    "created_at": TIME,
    "expires_at": nullable(TIME),
    "last_used_at": nullable(ANY_WHOLE | {"description": "Unix seconds, as the usage log has it."}),
    "revoked_at": nullable(TIME),
    "revoke_reason": nullable(TEXT),
    "usage_since": nullable(
        ANY_WHOLE
        | {
            "description": "Since when the usage log would tell of a use, in unix seconds; null where nothing is known."
            " A key without `last_used_at` that was created after that was never used."
        }
    ),
}
_ERROR: Final = obj(
    {
        "message": {**TEXT, "description": "All there is to say: what happened, why, and what was not done."},
        "type": TEXT,
        "param": nullable(TEXT),
        "code": {**TEXT, "description": "Stable; what a program goes by."},
        "what": TEXT,
    },
    {"why": TEXT, "not_done": TEXT, "remedy": {**TEXT, "description": "What mends it, a command mostly."}},
)


def _unless_null(name: str) -> Schema:
    return {"anyOf": [ref(name), {"type": "null"}]}


SCHEMAS: Final[dict[str, Schema]] = USAGE_SCHEMAS | {
    "Key": obj(_KEY),
    "KeyVersion": obj(
        {
            "version": VERSION_NUMBER,
            "status": one_of(VersionStatus),
            "hint": TEXT,
            "sha256": SHA256,
            "created_at": TIME,
            "expires_at": nullable(TIME),
            "last_used_at": nullable(ANY_WHOLE),
        }
    ),
    "MintedKey": obj(_KEY | {"value": {**TEXT, "description": "The secret, in this reply and nowhere else."}}),
    "KeyList": listing(
        ref("Key"),
        nullable(KEY_ID),
        {"counts": _COUNTS},
    ),
    "RevokedKey": obj(_KEY | {"changed": {**FLAG, "description": "False when it was revoked before."}}),
    "Revocation": {
        "anyOf": [
            obj(_KEY | {"changed": FLAG, "target": TEXT}),
            obj(
                {
                    "object": constant("api_key"),
                    "id": {"type": "null", "description": "No key answers to the target."},
                    "target": TEXT,
                    "changed": {"type": "boolean", "const": False},
                }
            ),
        ]
    },
    "RevocationList": listing(ref("Revocation"), nullable(KEY_ID)),
    "Registration": {
        "anyOf": [
            obj(_KEY | {"created": {**FLAG, "description": "False when its secret was here already."}}),
            obj(
                {
                    "object": constant("api_key"),
                    "id": {"type": "null", "description": "The key was kept out."},
                    "created": {"type": "boolean", "const": False},
                    "error": _ERROR,
                }
            ),
        ]
    },
    "RegistrationList": listing(ref("Registration"), nullable(KEY_ID)),
    "Verification": obj(
        {
            "object": constant("api_key.verification"),
            "status": one_of(VerdictStatus),
            "hint": nullable(TEXT),
            "detail": nullable(TEXT),
            "version": nullable(VERSION_NUMBER),
            "key": _unless_null("Key"),
        }
    ),
    "VerificationList": listing(ref("Verification"), {"type": "null"}),
    "DeletedVersion": obj(
        {
            "object": constant("api_key.version"),
            "id": KEY_ID,
            "version": VERSION_NUMBER,
            "deleted": {"type": "boolean", "const": True},
        }
    ),
    "TrailEntry": obj(
        {
            "object": constant("trail.entry"),
            "id": whole(1, 1 << 62),
            "at": TIME,
            "actor": TEXT,
            "action": TEXT,
            "key_id": nullable({**TEXT, "description": "null for a change of the account."}),
            "detail": {"type": "object", "description": "What changed; never a secret."},
        }
    ),
    "TrailList": listing(ref("TrailEntry"), nullable(whole(1, 1 << 62))),
    "Account": obj(
        {
            "object": constant("account"),
            "name": TEXT,
            "currency": _CURRENCY,
            "balance": nullable({**TEXT, "description": "What is left now; null where none was set."}),
            "balance_set_at": nullable(TIME),
            "spent": {**TEXT, "description": "All that its calls have cost, as the usage log has it."},
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
    "Health": obj({"status": constant("ok")}),
    "Readiness": obj({"status": constant("ready")}),
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
