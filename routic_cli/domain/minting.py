"""Making new secrets and ids. Only minting returns a `Secret` that nobody had before."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.key_format import ALPHABET, OPENAI_MARK, PREFIX, RANDOM_LENGTH, check_characters
from routic_cli.domain.keys import KEY_ID_ALPHABET, KEY_ID_LENGTH, KEY_ID_PREFIX, KeyId
from routic_cli.domain.secret import Secret

OPERATION_ID_LENGTH: Final = 16


def mint_secret() -> Secret:
    """A new secret of about 232 bits, from the operating system's random source."""
    import secrets  # 10 ms that only a minting command pays

    while True:
        body = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
        text = body + check_characters(body)
        if OPENAI_MARK not in text:
            return Secret(text)


def mint_key_id() -> KeyId:
    """A new key id: `key_` and 16 lowercase Crockford base32 characters (80 bits)."""
    return KeyId(KEY_ID_PREFIX + _crockford(KEY_ID_LENGTH))


def mint_operation_id() -> str:
    """A new id for an entry of the operation journal."""
    return "op_" + _crockford(OPERATION_ID_LENGTH)


def _crockford(length: int) -> str:
    import secrets  # as above

    bits = secrets.randbits(5 * length)  # one character each five bits, none likelier than another
    return "".join(KEY_ID_ALPHABET[(bits >> (5 * place)) & 31] for place in range(length))
