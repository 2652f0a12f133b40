"""What the admin API answers, as JSON objects: keys, lists, verdicts, the trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from routic_cli.domain.keys import Key, KeyStatus, KeyVersion, Revocation, UnixSeconds, Verdict
from routic_cli.domain.lifecycle import version_status
from routic_cli.domain.operations import PlacedVersion
from routic_cli.store.interface import TrailEntry
from routic_cli.transport.interface import Registration
from routic_cli.transport.wire.errors import error_object

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
    "usage_since",
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
        "usage_since": key.usage_since,
    }


def _version_object(key: Key, version: KeyVersion, now: UnixSeconds) -> JsonObject:
    return {
        "version": version.number,
        "status": version_status(key, version, now).value,
        "hint": version.hint,
        "sha256": version.sha256,
        "created_at": version.created_at,
        "expires_at": version.expires_at,
        "last_used_at": version.last_used_at,
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


def registration_object(registration: Registration, now: UnixSeconds) -> JsonObject:
    """What came of one key of a batch: the key with `created`, or the error that kept it out."""
    if registration.error is not None:
        return {"object": "api_key", "id": None, "created": False} | error_object(registration.error)
    if registration.key is None:
        raise AssertionError("a registration has a key or an error")
    return key_object(registration.key, now) | {"created": registration.created}


def counts_object(tally: Mapping[KeyStatus, int]) -> JsonObject:
    """How many keys there are of each status; 0 where there are none."""
    return {status.value: tally.get(status, 0) for status in KeyStatus}


def trail_object(entry: TrailEntry) -> JsonObject:
    """One change that was made: who, when, what."""
    return {
        "object": "trail.entry",
        "id": entry.number,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "key_id": entry.key_id,
        "detail": dict(entry.detail),
    }


ROTATION_FIELDS: Final = (
    "object", "id", "name", "current", "retiring", "last_used_at", "held_by", "rotated_at", "used_by",
)  # fmt: skip


def rotation_object(
    key: Key,
    retiring: KeyVersion | None,
    held_by: Sequence[str],
    used_by: Sequence[JsonObject] | None,
    now: UnixSeconds,
) -> JsonObject:
    """How far a rotation has come; `held_by` are the places on this machine that still hold the old version.

    `used_by` is who has used which version since the rotation; None where nobody can tell.
    """
    return {
        "object": "api_key.rotation",
        "id": key.id,
        "name": key.name,
        "current": _version_object(key, key.current, now),
        "retiring": _version_object(key, retiring, now) if retiring else None,
        "last_used_at": key.last_used_at,
        "held_by": list(held_by),
        "rotated_at": key.current.created_at,
        "used_by": None if used_by is None else list(used_by),
    }


def version_use_object(
    version: int, address: str | None, agent: str | None, calls: int, last_at: UnixSeconds
) -> JsonObject:
    """The calls with one version from one address by one program; null for both are all other callers together."""
    return {"version": version, "address": address, "agent": agent, "calls": calls, "last_used_at": last_at}


VERDICT_FIELDS: Final = ("object", "status", "hint", "detail", "version", "key")


def verdict_object(
    status: str, hint: str | None, detail: str | None, verdict: Verdict | None, now: UnixSeconds
) -> JsonObject:
    """What a secret is. `status` is a verdict's, or `malformed`, or `well_formed` where no store was asked."""
    key = verdict.key if verdict else None
    return {
        "object": "api_key.verification",
        "status": status,
        "hint": hint,
        "detail": detail,
        "version": verdict.version if verdict else None,
        "key": key_object(key, now) if key else None,
    }


def placement_object(placed: PlacedVersion, holds: str) -> JsonObject:
    """Where this machine has a version of a key, and what is there now."""
    return {
        "kind": placed.kind,
        "location": placed.location,
        "variable": placed.variable,
        "version": placed.number,
        "holds": holds,
        "placed_at": placed.placed_at,
    }
