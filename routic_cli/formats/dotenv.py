"""A `.env` file: `VAR=value`, for python-dotenv, node, npm's dotenv, Ruby's, Go's, docker compose and sh alike.

No quoting style means the same to all of them, so quotes are used only where it does: single ones around what has
none inside, double ones around what has a single one and nothing else that is special there. What is left is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import is_bare, line_of, not_carried

# python-dotenv takes `\\` for one backslash and `\'` for no end, where sh takes both as they are. python-dotenv expands
# ${NAME} even in single quotes, and so does dotenv-expand (Next.js, Vite) with $NAME.
_NOT_IN_SINGLE: Final = re.compile(r"'|\\\\|\\$|\$[A-Za-z_{]")
_NOT_IN_DOUBLE: Final = re.compile(r"[\"\\$`]")


def render(entries: Sequence[Entry]) -> str:
    """One assignment a line."""
    return "".join(f"{entry.variable}={_quoted(entry)}\n" for entry in entries)


def _quoted(entry: Entry) -> str:
    text = line_of(entry, "dotenv")
    if is_bare(text):
        return text
    if _NOT_IN_SINGLE.search(text) is None:
        return f"'{text}'"
    if _NOT_IN_DOUBLE.search(text) is None:
        return f'"{text}"'
    raise not_carried(entry, "dotenv", "Its quotes, backslashes or $ mean something else to each reader of .env files")


FORMAT: Final = Format("dotenv", render, usage="routic export REF --format dotenv --output .env")
