"""Keys by number: the same number is always the same id, the same secret, the same name."""

from __future__ import annotations

from typing import Any

from routic_cli.domain.keys import KEY_ID_ALPHABET, KEY_ID_LENGTH, KeyId, KeyTraits, NewKey, NewVersion
from routic_cli.domain.secret import Fingerprint, fingerprint_of

NOW = 1_800_000_000
HINT = "sk-AbCd…WxYz"


def key_id(n: int) -> KeyId:
    """The id of a number; ids of neighbouring numbers differ in their last characters."""
    digits = ""
    for _ in range(KEY_ID_LENGTH):
        n, digit = divmod(n, len(KEY_ID_ALPHABET))
        digits = KEY_ID_ALPHABET[digit] + digits
    return KeyId(f"key_{digits}")


def sha256(n: int, number: int = 1) -> Fingerprint:
    """The fingerprint of a number's secret, in one of its versions."""
    return fingerprint_of(f"secret {n}, version {number}")


def new_version(n: int, number: int = 1, *, at: int = NOW) -> NewVersion:
    return NewVersion(number, sha256(n, number), HINT, at)


def new_key(n: int, name: str | None = None, *, at: int = NOW, **traits: Any) -> NewKey:
    return NewKey(key_id(n), KeyTraits(name or f"key-{n}", **traits), new_version(n, at=at))
