"""fish: `set -gx VAR value;`. For `| source`, and for `eval (…)`, which joins the lines with spaces: hence `;`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import is_bare, text_of


def render(entries: Sequence[Entry]) -> str:
    """One exported global variable a line."""
    return "".join(f"set -gx {entry.variable} {_quoted(text_of(entry, 'fish'))};\n" for entry in entries)


def _quoted(text: str) -> str:
    if is_bare(text):
        return text
    # The fish language, "Quotes": in single ones the only escapes are those of the single quote and of the backslash.
    # A newline is written as an escape outside of them, so that `eval (…)` cannot make a space of it.
    escaped = text.replace("\\", r"\\").replace("'", r"\'").replace("\n", r"'\n'")
    return f"'{escaped}'"


FORMAT: Final = Format(
    "fish", render, usage="routic export REF --format fish | source", is_shell=True, failure="false\n"
)
