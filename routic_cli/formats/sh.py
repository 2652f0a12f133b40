"""sh, bash, zsh, ksh: `export VAR=value`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import is_bare, text_of


def render(entries: Sequence[Entry]) -> str:
    """One export a line. `export` and the assignment in one word, which sh does not split."""
    return "".join(f"export {entry.variable}={_quoted(text_of(entry, 'sh'))}\n" for entry in entries)


def _quoted(text: str) -> str:
    # POSIX: single quotes preserve every character but the single quote, which therefore stands outside of them.
    return text if is_bare(text) else "'" + text.replace("'", r"'\''") + "'"


FORMAT: Final = Format("sh", render, usage='eval "$(routic export REF)"', is_shell=True, failure="false\n")
