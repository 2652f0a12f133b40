"""Percent signs, as URLs have them, taken out of a text: whatever is looked for in it may be written so."""

from __future__ import annotations

import re
from typing import Final

SIGN: Final = "%"

_ROUNDS: Final = 10
# Of ASCII only: all that is looked for is of it, and the rest stays readable as it came.
_ENCODED: Final = re.compile(r"%([0-7][0-9A-Fa-f])")


def decoded(text: str) -> str:
    """The text decoded until nothing is left to decode, as for a URL inside of a URL; ten times at most."""
    for _ in range(_ROUNDS):
        if not is_encoded(text):
            break
        text = _ENCODED.sub(_character, text)
    return text


def is_encoded(text: str) -> bool:
    """Whether something of the text can be decoded; after `decoded`, no program has written it."""
    return SIGN in text and _ENCODED.search(text) is not None


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))
