"""Unkey's exported keys: `hash` is the SHA-256 of the key, in base64, alone or as `{value, variant}`."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import KeyTraits, NewKey, NewVersion, UnixSeconds
from routic_cli.domain.minting import mint_key_id
from routic_cli.domain.secret import Fingerprint
from routic_cli.importing import fields
from routic_cli.importing.fields import Record

_MILLISECONDS: Final = 1000
_NAME_FROM_HASH: Final = 12
_VARIANT: Final = "sha256_base64"


def recognises(record: Record) -> bool:
    """A `hash`, which neither of the other formats has."""
    return "hash" in record


def read(record: Record, now: UnixSeconds) -> NewKey:
    """The key; one without a name is named after its hash."""
    if record.get("enabled") is False:
        raise InvalidRequestError("The key is disabled there")
    sha256 = _fingerprint(record["hash"])
    given = fields.text_or_none(record, "name")
    name = fields.adapted_name(given) if given else f"unkey-{sha256[:_NAME_FROM_HASH]}"
    start = fields.text_or_none(record, "start")
    created_at = fields.moment_or_none(record, "createdAt", unit=_MILLISECONDS) or now
    return NewKey(
        mint_key_id(),
        KeyTraits(name=name, expires_at=fields.moment_or_none(record, "expires", unit=_MILLISECONDS)),
        NewVersion(1, sha256, fields.hint_or_unknown(f"{start}…" if start else None), created_at),
    )


def _fingerprint(value: object) -> Fingerprint:
    if isinstance(value, dict):
        if value.get("variant") != _VARIANT:
            raise InvalidRequestError(f"'hash' is not of the variant {_VARIANT}", param="hash")
        value = value.get("value")
    try:
        digest = base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("'hash' is not base64", param="hash") from error
    if len(digest) != hashlib.sha256().digest_size:
        raise InvalidRequestError("'hash' is not a SHA-256", param="hash")
    return Fingerprint(digest.hex())
