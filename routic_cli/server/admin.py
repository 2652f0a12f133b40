"""The admin API: KeyService over HTTP. One function for each route: the request in, the JSON object out."""

from __future__ import annotations

from contextlib import suppress

from routic_cli.domain.errors import KeyNotFoundError
from routic_cli.domain.keys import Key, NewKey, NewVersion, Revocation, Scope, Unset
from routic_cli.domain.minting import mint_key_id, mint_secret
from routic_cli.domain.rules import checked_reason, checked_traits
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.version_ends import is_settled
from routic_cli.server.requests import AdminRequest
from routic_cli.transport.wire.objects import (
    JsonObject,
    counts_object,
    key_object,
    list_object,
    registration_object,
    revocation_object,
    trail_object,
    verdict_object,
)
from routic_cli.transport.wire.queries import query_from
from routic_cli.transport.wire.requests import (
    changes_from,
    fingerprint_from,
    fingerprints_from,
    imports_from,
    new_key_from,
    new_version_from,
    reason_from,
    revocation_from,
    traits_from,
    version_end_from,
)

READING = (Scope.KEYS_READ, Scope.KEYS_WRITE, Scope.KEYS_REVOKE)
"""What lets a credential look at a key whose name or id it knows: whoever may change it needs to."""


def register_key(request: AdminRequest) -> JsonObject:
    """PUT /keys/{id}: make a key valid whose secret the client has."""
    new = new_key_from(request.key_id, request.body, request.now)
    request.credential.require_grantable(new.traits.scopes)
    return key_object(request.service.register(new), request.now)


def mint_key(request: AdminRequest) -> JsonObject:
    """POST /keys: the server mints; `value` is in this reply and nowhere else."""
    traits = checked_traits(traits_from(request.body))
    request.credential.require_grantable(traits.scopes)
    secret = mint_secret()
    version = NewVersion(1, secret.fingerprint, secret.hint, request.now)
    new = NewKey(mint_key_id(), traits, version)
    return key_object(request.service.register(new), request.now) | {"value": secret.reveal()}


def import_keys(request: AdminRequest) -> JsonObject:
    """POST /keys/import: many in one transaction, one result each."""
    news = imports_from(request.body, request.now)
    request.credential.require_grantable({scope for new in news for scope in new.traits.scopes})
    if not news:
        request.service.require_writable()
    results = request.service.register_many(news)
    return list_object([registration_object(result, request.now) for result in results])


def list_keys(request: AdminRequest) -> JsonObject:
    """GET /keys: a page of keys, or the one that `ref` means."""
    ref = request.asked.one("ref")
    if ref is not None:
        request.asked.end()
        request.credential.require_any(READING)
        return list_object([key_object(request.service.find(ref), request.now)])
    query, with_counts = query_from(request.asked)
    request.credential.require_any([Scope.KEYS_READ])
    page = request.service.page(query)
    shown = list_object((key_object(key, request.now) for key in page.keys), has_more=page.has_more)
    return shown | ({"counts": counts_object(request.service.tally(query))} if with_counts else {})


def show_key(request: AdminRequest) -> JsonObject:
    """GET /keys/{id}."""
    request.asked.end()
    return key_object(request.service.find(request.key_id), request.now)


def change_key(request: AdminRequest) -> JsonObject:
    """PATCH /keys/{id}: null clears, absent keeps."""
    changes = changes_from(request.body)
    key = _writable_key(request)
    if not isinstance(changes.expires_at, Unset):
        request.credential.require_no_extension(key.id, key.traits.expires_at, changes.expires_at)
    return key_object(request.service.change(request.key_id, changes), request.now)


def add_version(request: AdminRequest) -> JsonObject:
    """PUT /keys/{id}/versions/{n}: the next secret; the previous one is untouched."""
    version = new_version_from(request.version, request.body, request.now)
    _writable_key(request)
    return key_object(request.service.add_version(request.key_id, version), request.now)


def end_version(request: AdminRequest) -> JsonObject:
    """PATCH /keys/{id}/versions/{n}: when it ends."""
    at = version_end_from(request.body)
    _writable_key(request)
    return key_object(request.service.end_version(request.key_id, request.version, at), request.now)


def delete_version(request: AdminRequest) -> JsonObject:
    """DELETE /keys/{id}/versions/{n}: end it now; with If-Match, call a secret dead that was never delivered.

    Whoever creates a key has to be able to give it up. A version that somebody has worked with since yesterday was
    delivered: to make an end of that is to revoke it, and needs the scope.
    """
    request.asked.end()
    key_id, number, sha256 = request.key_id, request.version, request.fingerprint
    deleted: JsonObject = {"object": "api_key.version", "id": key_id, "version": number, "deleted": True}
    if sha256 is None:
        _writable_key(request)
        request.service.end_version(key_id, number, request.now)
        return deleted
    with suppress(KeyNotFoundError):  # one that never came: its tombstone keeps it out if it comes late
        key = _writable_key(request)
        meant = [v for v in key.versions if v.number == number and v.sha256 == sha256]
        if any(is_settled(key, version, request.now) for version in meant):
            request.credential.require_any([Scope.KEYS_REVOKE])
    request.service.give_up(key_id, number, Fingerprint(sha256))
    return deleted


def revoke_key(request: AdminRequest) -> JsonObject:
    """POST /keys/{id}/revoke: at once and for good; again is success."""
    reason = checked_reason(reason_from(request.body_or_empty))
    key = request.service.find(request.key_id)
    [result] = request.service.revoke([key.id], reason)
    return revocation_object(result, request.now)


def revoke_keys(request: AdminRequest) -> JsonObject:
    """POST /keys/revoke: many in one transaction, one result each."""
    targets, reason = revocation_from(request.body)
    return list_object([_result(result, request) for result in request.service.revoke(targets, reason)])


def verify_key(request: AdminRequest) -> JsonObject:
    """POST /keys/verify: would the secret with this fingerprint be let in. Everybody may ask it of himself."""
    verdict = request.service.verify(fingerprint_from(request.body))
    if verdict.key is None or verdict.key.id != request.credential.key_id:
        request.credential.require_any(READING)
    hint = _hint(verdict.key, verdict.version)
    return verdict_object(verdict.status.value, hint, None, verdict, request.now)


def verify_keys(request: AdminRequest) -> JsonObject:
    """POST /keys/verify/batch: the same of many, at one moment, one result each."""
    verdicts = request.service.verify_many(fingerprints_from(request.body))
    return list_object(
        [verdict_object(each.status.value, _hint(each.key, each.version), None, each, request.now) for each in verdicts]
    )


def list_trail(request: AdminRequest) -> JsonObject:
    """GET /trail: who changed what and when, the newest first."""
    limit, before = request.asked.limit(), request.asked.number("before", lowest=1)
    request.asked.end()
    entries = request.service.trail(limit=limit + 1, before=before)
    return list_object([trail_object(entry) for entry in entries[:limit]], has_more=len(entries) > limit)


def _writable_key(request: AdminRequest) -> Key:
    """The key. InsufficientScopeError when it has a scope that the credential lacks: a new secret would grant it."""
    request.credential.require_not_its_own(request.key_id)
    key = request.service.find(request.key_id)
    request.credential.require_grantable(key.traits.scopes)
    return key


def _result(result: Revocation, request: AdminRequest) -> JsonObject:
    return {"target": result.target} | revocation_object(result, request.now)


def _hint(key: Key | None, number: int | None) -> str | None:
    return next((v.hint for v in key.versions if v.number == number), None) if key is not None else None
