"""The text of a secret on its way into a format, and the error for one that cannot go there."""

from __future__ import annotations

import re
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.formats.interface import Entry

# What every reader takes as itself without quotes; routic's own keys have nothing else. Not `=`, which zsh expands at
# the beginning of a value, and not `~`, `:`, `@` or `+`, which one shell or another treats specially.
_BARE: Final = re.compile(r"[0-9A-Za-z._-]+")


def text_of(entry: Entry, format_name: str) -> str:
    """The secret's text: the one place of this package that reveals it.

    Refused are what no environment variable can hold, NUL, and what no UTF-8 output can, half a surrogate pair.
    """
    text = entry.secret.reveal()
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise not_carried(entry, format_name, "A variable holds UTF-8 text without NUL characters")
    return text


def line_of(entry: Entry, format_name: str) -> str:
    """The same, when it is one line of printable characters; InvalidRequestError otherwise."""
    text = text_of(entry, format_name)
    if not text.isprintable():
        raise not_carried(entry, format_name, "There, a value is one line of printable characters")
    return text


def is_bare(text: str) -> bool:
    """Whether no reader needs quotes around it."""
    return _BARE.fullmatch(text) is not None


def not_carried(entry: Entry, format_name: str, why: str) -> InvalidRequestError:
    """The error that names the variable, never the value."""
    return InvalidRequestError(
        f"The value of {entry.variable} cannot be written in the format {format_name}",
        why=why,
        not_done="Nothing was exported",
        remedy="--format json",
        param="format",
    )
