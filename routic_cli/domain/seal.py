"""The old secret of a rotation, sealed by the new one: who holds the new secret, and only they, can open it.

`rotate --abort` puts the old secret back where the new one is. Until then it must not lie anywhere in plain text, so
what is kept is its XOR with a stream that SHAKE-256 makes of the new secret, which has 232 random bits and seals one
secret only. The fingerprint that the store has of the old version tells whether opening it gave the right text.
"""

from __future__ import annotations

import hashlib
from typing import Final

from routic_cli.domain.keys import KeyId
from routic_cli.domain.secret import Secret, fingerprint_of

_PURPOSE: Final = b"routic: the previous version of this key\0"


def seal(old: Secret, *, by: Secret, key_id: KeyId) -> bytes:
    """The old secret, as long as before, unreadable without the new one."""
    return _mixed(old.reveal().encode(), by, key_id)


def unseal(sealed: bytes, *, by: Secret, key_id: KeyId, sha256: str) -> Secret | None:
    """The old secret; None when it does not come out with this fingerprint."""
    try:
        text = _mixed(sealed, by, key_id).decode()
    except UnicodeDecodeError:
        return None
    return Secret(text) if fingerprint_of(text) == sha256 else None


def _mixed(data: bytes, by: Secret, key_id: KeyId) -> bytes:
    stream = hashlib.shake_256(_PURPOSE + key_id.encode() + b"\0" + by.reveal().encode()).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))
