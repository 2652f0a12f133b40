"""What the OpenAPI document says of each operation beyond the table of routes: words, bodies, parameters, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from routic_cli.domain.audit.findings import RuleName
from routic_cli.domain.audit.policy import HIGHEST, THRESHOLDS
from routic_cli.domain.errors import (
    AmbiguousRefError,
    ConflictError,
    InsufficientScopeError,
    InvalidCredentialError,
    InvalidRequestError,
    KeyExistsError,
    KeyGoneError,
    KeyNotFoundError,
    MissingCredentialError,
    NameTakenError,
    RouticError,
    StoreLockedError,
)
from routic_cli.domain.keys import KeyStatus, SortField
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.domain.traffic import Dimension, TrafficSort
from routic_cli.domain.usage import Flag
from routic_cli.server.schema_parts import EVENT_ID, KEY_ID, SHA256, TIME, Schema, array, one_of, whole
from routic_cli.transport.wire.queries import COUNTS, DEFAULT_LIMIT, HIGHEST_LIMIT
from routic_cli.transport.wire.usage_queries import MOST_ROWS

EXAMPLE_ID: Final = "key_0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Operation:
    """`answer` and `body` name schemas; `errors` are those beyond what every operation can end with;
    `scopes` is for routes that decide by themselves."""

    summary: str
    answer: str
    body: str = ""
    body_needed: bool = True
    parameters: tuple[Schema, ...] = ()
    errors: tuple[RouticError, ...] = ()
    description: str = ""
    scopes: str = ""


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": description}


ALWAYS: Final[tuple[RouticError, ...]] = (
    InvalidRequestError("'limit' must be a whole number from 1 to 1000", not_done="Nothing was done", param="limit"),
    MissingCredentialError("The request has no Authorization header", not_done="Nothing was done"),
    InvalidCredentialError("The credential is not known", not_done="Nothing was done", remedy="routic auth login"),
    InsufficientScopeError(
        "The credential 'ci' lacks the scope keys:write", why="It holds: keys:revoke", not_done="Nothing was done"
    ),
    RouticError("Internal error: ValueError", why="This is a mistake in routic, not in the request"),
    StoreLockedError("The store is locked by another process", not_done="Nothing was done"),
)

_NOT_FOUND: Final = KeyNotFoundError(f"No key has the id '{EXAMPLE_ID}'", remedy="routic keys list --all", param="id")
_GONE: Final = KeyGoneError(
    f"The key 'prod-backend' ({EXAMPLE_ID}) is revoked",
    why="A revoked key is gone for good",
    not_done="No change was made",
    remedy="routic keys create --name NAME, for a new key",
)
_TAKEN: Final = NameTakenError(
    "The name 'prod-backend' is taken", why=f"{EXAMPLE_ID} has it and is active", not_done="Nothing was stored"
)
_EXISTS: Final = KeyExistsError(f"The id {EXAMPLE_ID} is registered with another secret", not_done="No key was created")
_AMBIGUOUS: Final = AmbiguousRefError(
    "'key_01' is the beginning of several ids", not_done="Nothing was done", param="ref"
)

_ONLY_ONE: Final = ConflictError(
    "Version 1 is the only one of 'prod-backend' without an end",
    why="A key with no version that is let in would still count as active",
    not_done="No version was changed",
    remedy=f"routic keys revoke {EXAMPLE_ID}, or routic rotate {EXAMPLE_ID}, for another version",
)

_ONE_ACCOUNT: Final = "Of the credential's account, and calls with keys that nobody has."
_SPAN: Final = (
    _query("since", TIME, "Calls from then on."),
    _query("until", TIME, "Calls before then."),
)
_KEYS_AND_NONE: Final = (_query("key_id", array(KEY_ID), "Calls with this key; given again, with any of them."),)
_THRESHOLD: Final = f"^({'|'.join(THRESHOLDS)}):([1-9][0-9]{{0,5}}|{HIGHEST})$"

OPERATIONS: Final[dict[str, Operation]] = {
    "list_keys": Operation(
        "A page of keys, or the one that `ref` means",
        "KeyList",
        parameters=(
            _query("ref", {"type": "string"}, "A name, an id or a unique beginning of an id. It stands alone."),
            _query("status", one_of(KeyStatus), "Keys of this status only."),
            _query("name", {"type": "string", "maxLength": 1000}, "Keys whose name matches the pattern (`prod-*`)."),
            _query("tag", array({"type": "string", "pattern": r"^[^=]+=[\s\S]*$"}), "K=V; given again, all must hold."),
            _query("unused_since", TIME, "Not used since then."),
            _query("expires_before", TIME, "Ending before then."),
            _query(
                "sort",
                {"type": "string", "enum": [sign + by for by in SortField for sign in ("", "-")], "default": "name"},
                "The order; a leading `-` turns it round.",
            ),
            _query("after", KEY_ID, "The last id of the page before."),
            _query("limit", whole(1, HIGHEST_LIMIT) | {"default": DEFAULT_LIMIT}, "How many at most."),
            _query(
                "include", array({"type": "string", "enum": [COUNTS]}), "`counts`: how many there are of each status."
            ),
        ),
        errors=(_NOT_FOUND, _AMBIGUOUS),
        description="Needs `keys:read`; with `ref`, `keys:write` or `keys:revoke` will do.",
        scopes="keys:read; with ref, any of keys:*",
    ),
    "mint_key": Operation(
        "The server mints a key; `value` is in the reply, once",
        "MintedKey",
        "KeyToMint",
        errors=(_TAKEN,),
        description="Not to be repeated: a reply that was lost leaves a key whose secret nobody has. Revoke it then.",
    ),
    "import_keys": Operation(
        "Register many keys in one transaction, one result each",
        "RegistrationList",
        "KeyBatch",
        description="A key that breaks a rule is an error in its own result and keeps no other out.",
    ),
    "revoke_keys": Operation(
        "Revoke many keys at once and for good, one result each", "RevocationList", "KeysToRevoke"
    ),
    "verify_key": Operation(
        "Would the secret with this fingerprint be let in",
        "Verification",
        "Fingerprint",
        description="Every credential may ask it of itself; of others with `keys:read`, `keys:write` or `keys:revoke`.",
        scopes="none for itself; any of keys:* for others",
    ),
    "verify_keys": Operation(
        "Would the secrets with these fingerprints be let in, one result each",
        "VerificationList",
        "Fingerprints",
        description="At most 5000 at once. What a scanner found is asked about so, by hash.",
    ),
    "show_key": Operation("One key", "Key", errors=(_NOT_FOUND,)),
    "register_key": Operation(
        "Register a key that the client minted",
        "Key",
        "NewKey",
        errors=(_TAKEN, _EXISTS, _GONE),
        description="Idempotent: the same id and hash again is success, another hash is a conflict.",
    ),
    "change_key": Operation("Change a key in place", "Key", "KeyChanges", errors=(_NOT_FOUND, _TAKEN, _GONE)),
    "revoke_key": Operation(
        "Revoke a key at once and for good; again is success",
        "RevokedKey",
        "Reason",
        body_needed=False,
        errors=(_NOT_FOUND,),
    ),
    "add_version": Operation(
        "Register the next version; the previous one is untouched",
        "Key",
        "NewVersion",
        errors=(_NOT_FOUND, _EXISTS, _GONE),
    ),
    "end_version": Operation(
        "Set when a version ends",
        "Key",
        "VersionEnd",
        errors=(_NOT_FOUND, _GONE, _ONLY_ONE),
        description="What has ended stays ended, and the last version without an end gets none: revoke the key.",
    ),
    "delete_version": Operation(
        "End a version now, or call one dead that was never delivered",
        "DeletedVersion",
        parameters=(
            {
                "name": "If-Match",
                "in": "header",
                "schema": SHA256,
                "description": "The SHA-256 of a secret that was never delivered: it stays dead, even if its "
                "registration arrives later.",
            },
        ),
        errors=(_NOT_FOUND, _GONE, _ONLY_ONE),
        description="A secret that was made over a day ago was delivered: calling it dead needs `keys:revoke` too.",
    ),
    "list_usage": Operation(
        "Single calls, in the order of their time",
        "UsageEventList",
        parameters=(
            *_SPAN,
            *_KEYS_AND_NONE,
            _query("after", EVENT_ID, "The last id of the page before."),
            _query("limit", whole(1, HIGHEST_LIMIT) | {"default": DEFAULT_LIMIT}, "How many at most."),
        ),
        description=_ONE_ACCOUNT,
    ),
    "append_usage": Operation(
        "Remember calls; one with an `id` counts once, however often it comes",
        "AppendedUsage",
        "UsageEvents",
        description="An event with `sha256` is given the key that has it. All of them are stored, or none.",
    ),
    "prune_usage": Operation(
        "Forget the calls of the hours before a time",
        "PrunedUsage",
        parameters=(_query("before", TIME, "Whole hours before it are forgotten.") | {"required": True},),
        description="When each key was used last, and what was spent, stay.",
    ),
    "summarize_usage": Operation(
        "Calls counted by what they have in common",
        "UsageSummaryList",
        parameters=(
            _query("by", array(one_of(Dimension), uniqueItems=True), "What to count by; nothing is one row of all."),
            *_SPAN,
            *_KEYS_AND_NONE,
            _query("version", whole(1, HIGHEST_VERSION), "Calls with this version only; of one key."),
            _query("outcome", array({"type": "string"}), "Calls that came to this; given again, to any of them."),
            _query("flag", one_of(Flag), "Calls with this flag only."),
            _query(
                "sort",
                {"type": "string", "enum": [f"{sign}{field}" for field in TrafficSort for sign in ("", "-")]},
                "By this field, `-` turns it round; `labels` are the values of `by`. In no order unless given.",
            ),
            _query(
                "limit", whole(1, MOST_ROWS), f"How many rows at most; without it, more than {MOST_ROWS} are refused."
            ),
        ),
        description=f"{_ONE_ACCOUNT} An hour that the time touches is counted whole.",
    ),
    "audit_usage": Operation(
        "What should not be there, the most severe first",
        "FindingList",
        parameters=(
            _query("since", TIME, "Calls from then on; a week before `until` unless given."),
            _query("until", TIME, "Calls before then; now unless given."),
            _query("rule", array(one_of(RuleName)), "By this rule; given again, by any of them; else by all."),
            _query("key_id", array(KEY_ID), "Of this key; given again, of any of them; else of all."),
            _query(
                "policy",
                array({"type": "string", "pattern": _THRESHOLD}),
                "NAME:NUMBER: a threshold other than the default one.",
            ),
        ),
        errors=(_NOT_FOUND,),
    ),
    "show_account": Operation("The account of the credential: what is left of its balance", "Account"),
    "change_account": Operation(
        "Set the balance that the keys share, or the currency of amounts",
        "Account",
        "AccountChanges",
        description="What calls cost from then on is taken off the balance. The currency converts nothing.",
    ),
    "list_trail": Operation(
        "Who changed what and when, the newest first",
        "TrailList",
        parameters=(
            _query("limit", whole(1, HIGHEST_LIMIT) | {"default": DEFAULT_LIMIT}, "How many at most."),
            _query("before", TIME | {"minimum": 1, "description": "An entry's id."}, "Only entries before this id."),
        ),
    ),
}
