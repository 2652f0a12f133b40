"""PowerShell: `$env:VAR = 'value'`.

Pure ASCII, each assignment on one line, whatever the value: Windows PowerShell decodes a program's output by the
console's code page, and hands it on line by line. Other characters become `[char]` codes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import text_of

_PIECE: Final = re.compile(r"[ -~]+|[^ -~]")


def render(entries: Sequence[Entry]) -> str:
    """One assignment a line."""
    return "".join(f"$env:{entry.variable} = {_quoted(text_of(entry, 'powershell'))}\n" for entry in entries)


def _quoted(text: str) -> str:
    pieces = [_piece(piece) for piece in _PIECE.findall(text)]
    # The left operand decides what + means: a string first, or two characters would be added as numbers.
    return " + ".join(pieces if pieces and pieces[0].startswith("'") else ["''", *pieces])


def _piece(text: str) -> str:
    # about_Quoting_Rules: in single quotes nothing is expanded, and a single quote is doubled. The typographic quotes
    # U+2018 to U+201B end such a string as well; as codes they do not.
    if " " <= text[0] <= "~":
        return "'" + text.replace("'", "''") + "'"
    units = text.encode("utf-16-be")
    # A [char] is a UTF-16 code unit: characters beyond U+FFFF take two.
    return " + ".join(f"[char]{int.from_bytes(units[at : at + 2])}" for at in range(0, len(units), 2))


FORMAT: Final = Format(
    "powershell",
    render,
    usage="routic export REF --format powershell | Out-String | Invoke-Expression",
    is_shell=True,
    # A native command that fails stops no PowerShell script, and Invoke-Expression has no exit status: only an error
    # that terminates makes it fail.
    failure="throw 'routic export failed'\n",
)
