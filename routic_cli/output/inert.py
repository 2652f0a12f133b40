"""Text from outside, made harmless for a terminal: what would act on it is shown instead."""

from __future__ import annotations

import re
from typing import Final

from routic_cli.domain.key_format import contains_secret_shape, hint_of, is_well_formed

# Letters to Unicode, nothing to the eye: two names that differ in one of these look the same.
_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_SECRET_LIKE: Final = re.compile(r"(?<![0-9A-Za-z])sk-[\w-]{20,}")
# Looked for at every place: keys may lie over one another.
_WHOLE: Final = re.compile(r"(?=(sk-[0-9A-Za-z]{45}))")
_ROUNDS: Final = 4


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
    """The text with everything shaped like a key masked: the last net under every message, not a licence.

    Whole keys go first, wherever they begin: one that is glued to the tail of something else must not hide behind it.
    A text that still has the shape of a secret in the end is not shown at all.
    """
    for _ in range(_ROUNDS):
        if not contains_secret_shape(text):
            return text
        text = _SECRET_LIKE.sub(_masked, _without_whole_keys(text))
    return text if not contains_secret_shape(text) else "…"


def _without_whole_keys(text: str) -> str:
    """The text with hints in the place of well-formed keys; of those that lie over one another, one hint for all."""
    parts: list[str] = []
    begin = end = 0
    shown = 0
    for match in _WHOLE.finditer(text):
        if not is_well_formed(match[1]):
            continue
        if match.start() >= end:
            parts += [text[shown:begin], hint_of(text[begin:end])] if end else []
            shown, begin = end, match.start()
        end = match.end(1)
    return "".join([*parts, text[shown:begin], hint_of(text[begin:end]), text[end:]]) if end else text


def _masked(match: re.Match[str]) -> str:
    return hint_of(match[0]) if contains_secret_shape(match[0]) else match[0]
