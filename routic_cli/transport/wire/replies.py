"""What the admin API answered, back from JSON to the domain. Fields that this routic does not know are passed over.

InvalidRequestError when something is missing or of another type: the reply is not to be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import (
    Key,
    KeyId,
    KeyPage,
    KeyStatus,
    KeyTraits,
    KeyVersion,
    Revocation,
    Scope,
    Verdict,
    VerdictStatus,
    is_key_id,
)
from routic_cli.domain.secret import Fingerprint
from routic_cli.store.interface import TrailEntry
from routic_cli.transport.interface import Registration
from routic_cli.transport.wire.errors import error_from
from routic_cli.transport.wire.fields import Fields
from routic_cli.transport.wire.requests import checked_fingerprint

E = TypeVar("E", bound=StrEnum)


def key_from(data: object) -> Key:
    """A key object."""
    fields = Fields(data, "The key")
    versions = [_version(item) for item in fields.items("versions")]
    if not versions or not is_key_id(fields.text("id")):
        raise InvalidRequestError("The key has no version, or no id")
    limits = Fields(fields.mapping("limits"))
    return Key(
        id=KeyId(fields.text("id")),
        traits=KeyTraits(
            name=fields.text("name"),
            tags={name: str(value) for name, value in fields.mapping("tags").items()},
            scopes=tuple(_member(Scope, text) for text in fields.texts("scopes")),
            rpm=limits.integer_or_none("rpm"),
            expires_at=fields.integer_or_none("expires_at"),
        ),
        status=_member(KeyStatus, fields.text("status")),
        versions=tuple(versions),
        created_at=fields.integer("created_at"),
        last_used_at=fields.integer_or_none("last_used_at"),
        revoked_at=fields.integer_or_none("revoked_at"),
        revoke_reason=fields.text_or_none("revoke_reason"),
        usage_since=fields.integer_or_none("usage_since"),
    )


def page_from(data: object) -> KeyPage:
    """A list of key objects."""
    fields = Fields(data, "The list")
    return KeyPage(tuple(key_from(item) for item in fields.items("data")), fields.flag("has_more"))


def tally_from(data: object) -> Mapping[KeyStatus, int]:
    """The counts of a list; statuses without keys are left out."""
    counts = Fields(Fields(data, "The list").mapping("counts"), "The counts")
    return {status: number for status in KeyStatus if (number := counts.integer(status.value))}


def revocations_from(data: object, targets: Sequence[str]) -> list[Revocation]:
    """One result for each target, in their order."""
    items = _as_many(data, targets)
    return [
        Revocation(
            target, None if fields.text_or_none("id") is None else key_from(item), changed=fields.flag("changed")
        )
        for target, item in zip(targets, items, strict=True)
        for fields in [Fields(item)]
    ]


def registrations_from(data: object, sent: Sequence[object]) -> list[Registration]:
    """One result for each key that was sent, in their order."""
    return [_registration(item) for item in _as_many(data, sent)]


def verdict_from(data: object) -> Verdict:
    """What the server says of a fingerprint."""
    fields = Fields(data, "The verdict")
    key = fields.mapping_or_none("key")
    return Verdict(
        _member(VerdictStatus, fields.text("status")),
        None if key is None else key_from(key),
        fields.integer_or_none("version"),
    )


def verdicts_from(data: object, hashes: Sequence[str]) -> list[Verdict]:
    """What the server says of each fingerprint, in their order."""
    return [verdict_from(item) for item in _as_many(data, hashes)]


def deletion_from(data: object) -> None:
    """That a version is deleted."""
    if not Fields(data, "The deletion").flag("deleted"):
        raise InvalidRequestError("It does not say that the version is deleted")


def trail_from(data: object) -> list[TrailEntry]:
    """A list of changes."""
    return [
        TrailEntry(
            fields.integer("at"),
            fields.text("actor"),
            fields.text("action"),
            None if (key_id := fields.text_or_none("key_id")) is None else KeyId(key_id),
            dict(fields.mapping("detail")),
            fields.integer("id"),
        )
        for item in Fields(data, "The list").items("data")
        for fields in [Fields(item)]
    ]


def _version(data: object) -> KeyVersion:
    fields = Fields(data, "The version")
    return KeyVersion(
        number=fields.integer("version"),
        sha256=Fingerprint(checked_fingerprint(fields.text("sha256"))),
        hint=fields.text("hint"),
        created_at=fields.integer("created_at"),
        expires_at=fields.integer_or_none("expires_at"),
        last_used_at=fields.integer_or_none("last_used_at"),
    )


def _registration(item: object) -> Registration:
    error = error_from(item, 0)
    if error is not None:
        return Registration(None, error=error)
    return Registration(key_from(item), created=Fields(item).flag("created"))


def _as_many(data: object, sent: Sequence[object]) -> Sequence[object]:
    items = Fields(data, "The list").items("data")
    if len(items) != len(sent):
        raise InvalidRequestError("The list has more or fewer results than there were questions")
    return items


def _member(kind: type[E], text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise InvalidRequestError(f"The reply has a {kind.__name__} that this routic does not know") from None
