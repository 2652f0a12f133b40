"""routic's own records: `{name, sha256, hint, …}`, and the key objects of `keys list --json`, one a line."""

from __future__ import annotations

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import (
    DEFAULT_SCOPES,
    KeyId,
    KeyStatus,
    KeyTraits,
    NewKey,
    NewVersion,
    Scope,
    UnixSeconds,
    is_key_id,
)
from routic_cli.domain.minting import mint_key_id
from routic_cli.importing import fields
from routic_cli.importing.fields import Record


def recognises(record: Record) -> bool:
    """A name beside a fingerprint, or beside versions that have one."""
    return "name" in record and ("sha256" in record or "versions" in record)


def read(record: Record, now: UnixSeconds) -> NewKey:
    """The key; InvalidRequestError names the field that is wrong."""
    if record.get("status") == KeyStatus.REVOKED.value:
        raise InvalidRequestError("The key is revoked there")
    version = _current_version(record)
    limits = record.get("limits")
    rpm = fields.whole_number_or_none(limits if isinstance(limits, dict) else record, "rpm")
    return NewKey(
        _id(record),
        KeyTraits(
            name=fields.text_or_none(record, "name") or "",
            tags=fields.texts_by_name(record, "tags"),
            scopes=_scopes(record),
            rpm=rpm,
            expires_at=fields.moment_or_none(record, "expires_at"),
        ),
        NewVersion(
            1,
            fields.fingerprint(version.get("sha256"), "sha256"),
            fields.hint_or_unknown(fields.text_or_none(version, "hint")),
            fields.moment_or_none(record, "created_at") or now,
        ),
    )


def _current_version(record: Record) -> Record:
    versions = record.get("versions")
    if "sha256" in record or not isinstance(versions, list):
        return record
    current = [each for each in versions if isinstance(each, dict) and each.get("status") == "current"]
    if len(current) != 1:
        raise InvalidRequestError("'versions' has not one current version", param="versions")
    return current[0]


def _id(record: Record) -> KeyId:
    text = fields.text_or_none(record, "id")
    if text is None:
        return mint_key_id()
    if not is_key_id(text):
        raise InvalidRequestError("'id' is not a key id", param="id")
    return KeyId(text)


def _scopes(record: Record) -> tuple[Scope, ...]:
    value = record.get("scopes")
    if value is None:
        return DEFAULT_SCOPES
    try:
        return tuple(Scope(each) for each in value) if isinstance(value, list) else ()
    except ValueError as error:
        raise InvalidRequestError("'scopes' has one that routic does not know", param="scopes") from error
