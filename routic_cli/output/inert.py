"""Text from outside, made harmless for a terminal: what would act on it is shown instead."""

from __future__ import annotations

import re
from typing import Final

from routic_cli.domain.key_format import contains_secret_shape, hint_of

# Letters to Unicode, nothing to the eye: two names that differ in one of these look the same.
_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_SECRET_LIKE: Final = re.compile(r"(?<![0-9A-Za-z])sk-[\w-]{20,}|sk-[0-9A-Za-z]{45}")


def is_inert(char: str) -> bool:
    """Whether the character shows itself and does nothing else.

    `str.isprintable` refuses controls (C0, C1, ESC, DEL), format characters (bidirectional, zero-width, tags), line
    and paragraph separators, lone surrogates, private and unassigned code points, and every space but the plain one.
    """
    return char.isprintable() and char not in _BLANK_LETTERS


def inert(text: str) -> str:
    r"""The text with all that a terminal would obey or hide as a visible escape: `\x1b`, `\u202e`, `\n`."""
    if text.isprintable() and _BLANK_LETTERS.isdisjoint(text):
        return text
    return "".join(char if is_inert(char) else char.encode("unicode_escape").decode("ascii") for char in text)


def inert_lines(text: str) -> str:
    """The same, line by line: newlines are our own layout and stay."""
    return "\n".join(inert(line) for line in text.split("\n"))


def without_secrets(text: str) -> str:
    """The text with everything shaped like a key masked: the last net under every message, not a licence."""
    if not contains_secret_shape(text):
        return text
    return _SECRET_LIKE.sub(lambda match: hint_of(match[0]) if contains_secret_shape(match[0]) else match[0], text)
