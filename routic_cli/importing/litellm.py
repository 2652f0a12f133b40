"""Rows of LiteLLM's `LiteLLM_VerificationToken`: `token` is the SHA-256 of the key, in hexadecimal."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import KeyTraits, NewKey, NewVersion, UnixSeconds
from routic_cli.domain.minting import mint_key_id
from routic_cli.importing import fields
from routic_cli.importing.fields import Record

_NAME_FROM_HASH: Final = 12


def recognises(record: Record) -> bool:
    """`token` with one of the columns that only LiteLLM has beside it."""
    return "token" in record and not record.keys().isdisjoint({"key_alias", "key_name", "rpm_limit", "team_id"})


def read(record: Record, now: UnixSeconds) -> NewKey:
    """The key, by its alias; one without an alias is named after its hash."""
    if record.get("blocked") is True:
        raise InvalidRequestError("The key is blocked there")
    sha256 = fields.fingerprint(record.get("token"), "token")
    alias = fields.text_or_none(record, "key_alias")
    name = fields.adapted_name(alias) if alias else f"litellm-{sha256[:_NAME_FROM_HASH]}"
    traits = KeyTraits(
        name=name,
        rpm=fields.whole_number_or_none(record, "rpm_limit"),
        expires_at=fields.moment_or_none(record, "expires"),
    )
    hint = fields.hint_or_unknown(fields.text_or_none(record, "key_name"))
    created_at = fields.moment_or_none(record, "created_at") or now
    return NewKey(mint_key_id(), traits, NewVersion(1, sha256, hint, created_at))
