"""The shape of a secret: `sk-`, 39 random base62 characters, 6 check characters; 48 in all."""

from __future__ import annotations

import re
import zlib
from typing import Final

PREFIX: Final = "sk-"
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LENGTH: Final = 39
CHECK_LENGTH: Final = 6
LENGTH: Final = len(PREFIX) + RANDOM_LENGTH + CHECK_LENGTH

# Scanners take a text with this in it for an OpenAI key and send it to OpenAI to verify.
OPENAI_MARK: Final = "T3BlbkFJ"

# Short secrets are masked whole: eight characters shown of twelve would give most of it away.
_SHORTEST_WITH_HINT: Final = 20

_SHAPE: Final = re.compile(rf"sk-[0-9A-Za-z]{{{RANDOM_LENGTH + CHECK_LENGTH}}}")
_HINT: Final = re.compile(r"(?:sk-)?[\x20-\x7e]{0,4}(?:…|\.\.\.)[\x20-\x7e]{0,4}")

# A whole or truncated key of ours, or anyone's `sk-…` with a mix that no name has.
_BARE: Final = re.compile(r"(?<![0-9A-Za-z])sk-[0-9A-Za-z]{20,}")
_DASHED: Final = re.compile(r"(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{20,}")
# A whole key of ours, whatever it was pasted behind; its check characters tell it from a word that ends in `sk-`.
_GLUED: Final = re.compile(r"(?=(sk-[0-9A-Za-z]{45}))")
_MIX: Final = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])")


def check_characters(body: str) -> str:
    """CRC-32 of the first 42 ASCII characters, base62, most significant digit first, zero-padded to 6."""
    value = zlib.crc32(body.encode("ascii"))
    digits = []
    for _ in range(CHECK_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def is_well_formed(text: str) -> bool:
    """Whether the text has the length, the alphabet and the check characters of a key minted by routic."""
    return _SHAPE.fullmatch(text) is not None and check_characters(text[:-CHECK_LENGTH]) == text[-CHECK_LENGTH:]


def defect_of(text: str) -> str | None:
    """Why the text is no key minted by routic, in words that never repeat it; None when it is well formed."""
    if is_well_formed(text):
        return None
    if not text.startswith(PREFIX):
        return f"it does not begin with {PREFIX}"
    if len(text) < LENGTH:
        return f"it has {len(text)} of {LENGTH} characters: not copied completely"
    if len(text) > LENGTH:
        return f"it has {len(text)} characters instead of {LENGTH}: something was copied with it"
    if _SHAPE.fullmatch(text) is None:
        return "it holds characters that no key has"
    return "its check characters do not match: at least one character is wrong"


def hint_of(text: str) -> str:
    """The first four and last four characters after the prefix; a short text is masked whole."""
    prefix = PREFIX if text.startswith(PREFIX) else ""
    body = text[len(prefix) :]
    if len(text) < _SHORTEST_WITH_HINT or not body.isascii() or not body.isprintable():
        return f"{prefix}…"
    return f"{prefix}{body[:4]}…{body[-4:]}"


def is_hint(text: str) -> bool:
    """Whether the text is a mask such as `sk-AbCd…WxYz`, which names no key."""
    return _HINT.fullmatch(text) is not None


def contains_secret_shape(text: str) -> bool:
    """Whether some part of the text looks like a key, whole or cut, ours or another vendor's."""
    if PREFIX not in text:  # an import asks this of six texts in each line
        return False
    if _BARE.search(text) is not None or any(is_well_formed(match[1]) for match in _GLUED.finditer(text)):
        return True
    # Each run is taken whole and looked at once: look-aheads at every `sk-` in it would cost its length squared.
    runs = (match[0].removeprefix(PREFIX) for match in _DASHED.finditer(text))
    return any(_MIX.match(run) for run in runs)
