"""Domain to JSON and back. The only room that knows the admin API's field names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from routic_cli.domain.errors import (
    ConflictError,
    InvalidRequestError,
    KeyNotFoundError,
    RouticError,
    UnavailableError,
)
from routic_cli.domain.keys import Key, KeyVersion, Revocation, UnixSeconds, Verdict
from routic_cli.domain.lifecycle import version_status

JsonObject = dict[str, object]

KEY_FIELDS: Final = (
    "object",
    "id",
    "name",
    "status",
    "hint",
    "version",
    "versions",
    "scopes",
    "tags",
    "limits",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
    "revoke_reason",
)


def key_object(key: Key, now: UnixSeconds) -> JsonObject:
    """A key as the admin API shows it: times in unix seconds, no secret."""
    return {
        "object": "api_key",
        "id": key.id,
        "name": key.name,
        "status": key.status.value,
        "hint": key.hint,
        "version": key.current.number,
        "versions": [_version_object(key, version, now) for version in key.versions],
        "scopes": [scope.value for scope in key.traits.scopes],
        "tags": dict(key.traits.tags),
        "limits": {"rpm": key.traits.rpm},
        "created_at": key.created_at,
        "expires_at": key.traits.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "revoke_reason": key.revoke_reason,
    }


def _version_object(key: Key, version: KeyVersion, now: UnixSeconds) -> JsonObject:
    return {
        "version": version.number,
        "status": version_status(key, version, now).value,
        "hint": version.hint,
        "sha256": version.sha256,
        "created_at": version.created_at,
        "expires_at": version.expires_at,
    }


def list_object(data: Iterable[Mapping[str, object]], *, has_more: bool = False) -> JsonObject:
    """A list as the admin API shows it; `first_id` and `last_id` are null without any."""
    items = list(data)
    return {
        "object": "list",
        "data": items,
        "first_id": items[0].get("id") if items else None,
        "last_id": items[-1].get("id") if items else None,
        "has_more": has_more,
    }


def revocation_object(revocation: Revocation, now: UnixSeconds) -> JsonObject:
    """What came of one target: the key with `changed`, or the target alone when no key answers to it."""
    if revocation.key is None:
        return {"object": "api_key", "id": None, "target": revocation.target, "changed": False}
    return key_object(revocation.key, now) | {"changed": revocation.changed}


def verdict_object(verdict: Verdict, now: UnixSeconds) -> JsonObject:
    """The answer to `verify`."""
    return {
        "object": "api_key.verification",
        "status": verdict.status.value,
        "version": verdict.version,
        "key": key_object(verdict.key, now) if verdict.key else None,
    }


def error_object(error: RouticError) -> JsonObject:
    """The API's error object: the message says what happened, why, and what did not happen."""
    message = " ".join(f"{sentence}." for sentence in error.sentences())
    inner: JsonObject = {"message": message, "type": _error_type(error), "param": error.param, "code": error.code}
    if error.remedy:
        inner["remedy"] = error.remedy
    return {"error": inner}


def _error_type(error: RouticError) -> str:
    if isinstance(error, InvalidRequestError | KeyNotFoundError | ConflictError):
        return "invalid_request_error"
    if isinstance(error, UnavailableError):
        return "unavailable_error"
    return "routic_error"
