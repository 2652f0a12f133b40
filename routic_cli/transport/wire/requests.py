"""What the admin API is asked for, from domain to JSON and back: one function each way for every body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import (
    DEFAULT_SCOPES,
    UNSET,
    KeyChanges,
    KeyId,
    KeyTraits,
    NewKey,
    NewVersion,
    Scope,
    UnixSeconds,
    Unset,
    is_key_id,
)
from routic_cli.domain.secret import Fingerprint, is_fingerprint
from routic_cli.transport.wire.fields import Fields
from routic_cli.transport.wire.objects import JsonObject

MOST_IMPORTED: Final = 5000
"""Keys in one import: what is answered, too, has to fit into memory and into a moment."""


def new_key_body(new: NewKey) -> JsonObject:
    """PUT /keys/{id}."""
    return {
        "name": new.traits.name,
        "scopes": [scope.value for scope in new.traits.scopes],
        "tags": dict(new.traits.tags),
        "limits": {"rpm": new.traits.rpm},
        "expires_at": new.traits.expires_at,
        **new_version_body(new.version),
    }


def new_key_from(key_id: str, data: object, now: UnixSeconds) -> NewKey:
    """The key that a PUT registers; created `now` unless the body says when."""
    fields = Fields(data)
    traits = _traits(fields)
    version = _version(fields, 1, now)
    fields.end()
    return NewKey(KeyId(key_id), traits, version)


def traits_from(data: object) -> KeyTraits:
    """POST /keys: what is asked of a key that the server mints."""
    fields = Fields(data)
    traits = _traits(fields)
    fields.end()
    return traits


def new_version_body(version: NewVersion) -> JsonObject:
    """PUT /keys/{id}/versions/{n}."""
    return {"sha256": version.sha256, "hint": version.hint, "created_at": version.created_at}


def new_version_from(number: int, data: object, now: UnixSeconds) -> NewVersion:
    """The version that a PUT registers; created `now` unless the body says when."""
    fields = Fields(data)
    version = _version(fields, number, now)
    fields.end()
    return version


def import_body(news: Iterable[NewKey]) -> JsonObject:
    """POST /keys/import."""
    return {"keys": [{"id": new.id, "version": new.version.number, **new_key_body(new)} for new in news]}


def imports_from(data: object, now: UnixSeconds) -> list[NewKey]:
    """The keys of a batch, each with the id that the client chose."""
    fields = Fields(data)
    items = fields.items("keys")
    fields.end()
    if len(items) > MOST_IMPORTED:
        raise InvalidRequestError(f"At most {MOST_IMPORTED} keys come in one request", param="keys")
    return [_imported(item, number, now) for number, item in enumerate(items)]


def changes_body(changes: KeyChanges) -> JsonObject:
    """PATCH /keys/{id}: null clears, absent keeps."""
    body: JsonObject = {}
    if not isinstance(changes.name, Unset):
        body["name"] = changes.name
    if not isinstance(changes.expires_at, Unset):
        body["expires_at"] = changes.expires_at
    if not isinstance(changes.rpm, Unset):
        body["limits"] = {"rpm": changes.rpm}
    if changes.tags is None or changes.tags:
        body["tags"] = changes.tags if changes.tags is None else dict(changes.tags)
    return body


def changes_from(data: object) -> KeyChanges:
    """The changes that a PATCH asks for."""
    fields = Fields(data)
    rpm: int | Unset | None = UNSET
    if "limits" in fields:
        limits = Fields(fields.mapping("limits"), "'limits'")
        rpm = limits.integer_or_none("rpm")
        limits.end()
    changes = KeyChanges(
        name=fields.text("name") if "name" in fields else UNSET,
        expires_at=fields.integer_or_none("expires_at") if "expires_at" in fields else UNSET,
        rpm=rpm,
        tags=_tag_changes(fields) if "tags" in fields else {},
    )
    fields.end()
    return changes


def version_end_from(data: object) -> UnixSeconds | None:
    """PATCH /keys/{id}/versions/{n}: when it ends; null lets it live on."""
    fields = Fields(data)
    if "expires_at" not in fields:
        raise InvalidRequestError("The body lacks 'expires_at'", param="expires_at")
    at = fields.integer_or_none("expires_at")
    fields.end()
    return at


def revocation_body(targets: Sequence[KeyId | Fingerprint], reason: str | None) -> JsonObject:
    """POST /keys/revoke: `ids` or `sha256`, or `targets` where there are both, whose order has to be kept."""
    kinds = {is_key_id(target) for target in targets}
    name = "targets" if len(kinds) > 1 else "ids" if kinds == {True} else "sha256"
    return {name: list(targets), "reason": reason}


def revocation_from(data: object) -> tuple[list[KeyId | Fingerprint], str | None]:
    """What a POST to /keys/revoke names, and the reason."""
    fields = Fields(data)
    reason = fields.text_or_none("reason")
    named = [name for name in ("sha256", "ids", "targets") if name in fields]
    if len(named) != 1:
        raise InvalidRequestError("The body names keys by one of 'sha256', 'ids' and 'targets'", param="sha256")
    texts = fields.texts(named[0])
    fields.end()
    for text in texts:
        if not (is_key_id(text) and named[0] != "sha256") and not (is_fingerprint(text) and named[0] != "ids"):
            raise InvalidRequestError(f"'{named[0]}' has an element that is no such thing", param=named[0])
    return [KeyId(text) if is_key_id(text) else Fingerprint(text) for text in texts], reason


def reason_from(data: object) -> str | None:
    """POST /keys/{id}/revoke."""
    fields = Fields(data)
    reason = fields.text_or_none("reason")
    fields.end()
    return reason


def fingerprint_from(data: object) -> Fingerprint:
    """POST /keys/verify."""
    fields = Fields(data)
    text = fields.text("sha256")
    fields.end()
    return checked_fingerprint(text)


def fingerprints_from(data: object) -> list[Fingerprint]:
    """POST /keys/verify/batch."""
    fields = Fields(data)
    texts = fields.texts("sha256")
    fields.end()
    if len(texts) > MOST_IMPORTED:
        raise InvalidRequestError(f"At most {MOST_IMPORTED} keys are asked about in one request", param="sha256")
    return [checked_fingerprint(text) for text in texts]


def checked_fingerprint(text: str) -> Fingerprint:
    """The text, which must be a SHA-256; it is not repeated, as it may be the secret itself."""
    if not is_fingerprint(text):
        raise InvalidRequestError("'sha256' is not a SHA-256 in lowercase hexadecimal", param="sha256")
    return Fingerprint(text)


def _imported(item: object, number: int, now: UnixSeconds) -> NewKey:
    fields = Fields(item, f"keys[{number}]")
    key_id = KeyId(fields.text("id"))
    version = fields.integer("version") if "version" in fields else 1
    new = NewKey(key_id, _traits(fields), _version(fields, version, now))
    fields.end()
    return new


def _traits(fields: Fields) -> KeyTraits:
    limits = Fields(fields.mapping("limits"), "'limits'")
    rpm = limits.integer_or_none("rpm")
    limits.end()
    return KeyTraits(
        name=fields.text("name"),
        tags=_tags(fields),
        scopes=_scopes(fields.texts("scopes")) if "scopes" in fields else DEFAULT_SCOPES,
        rpm=rpm,
        expires_at=fields.integer_or_none("expires_at"),
    )


def _version(fields: Fields, number: int, now: UnixSeconds) -> NewVersion:
    return NewVersion(
        number,
        Fingerprint(fields.text("sha256")),
        fields.text("hint"),
        fields.integer("created_at") if "created_at" in fields else now,
    )


def _scopes(texts: Iterable[str]) -> tuple[Scope, ...]:
    try:
        return tuple(Scope(text) for text in texts)
    except ValueError:
        raise InvalidRequestError(
            "'scopes' has one that is not known", why=f"The scopes are: {', '.join(Scope)}", param="scopes"
        ) from None


def _tags(fields: Fields) -> Mapping[str, str]:
    tags = fields.mapping("tags")
    if not all(isinstance(value, str) for value in tags.values()):
        raise InvalidRequestError("The values of 'tags' must be strings", param="tags")
    return {name: str(value) for name, value in tags.items()}


def _tag_changes(fields: Fields) -> Mapping[str, str | None] | None:
    if fields.mapping_or_none("tags") is None:
        return None
    tags = fields.mapping("tags")
    if not all(value is None or isinstance(value, str) for value in tags.values()):
        raise InvalidRequestError("The values of 'tags' must be strings, or null", param="tags")
    return {name: None if value is None else str(value) for name, value in tags.items()}
