"""cmd.exe: `set "VAR=value"`, read by `for /f`.

cmd has no quoting that holds: what `%`, `!` and `^` do depends on whether the line is typed, in a batch file, called,
or under delayed expansion; `"` ends the quotes and cannot be escaped; `/?` asks for help even inside them; and the
console's code page decodes whatever is not ASCII. Values with any of these are refused rather than changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import line_of, not_carried


def render(entries: Sequence[Entry]) -> str:
    """One `set` a line. The quotes go around name and value, and keep `&`, `|`, `<`, `>` and spaces as they are."""
    return "".join(f'set "{entry.variable}={_checked(entry)}"\n' for entry in entries)


def _checked(entry: Entry) -> str:
    text = line_of(entry, "cmd")
    if not text.isascii() or "/?" in text or not set('"%!^').isdisjoint(text):
        raise not_carried(entry, "cmd", 'cmd has no quoting for ", %, !, ^, /? and what is not ASCII')
    return text


FORMAT: Final = Format(
    "cmd",
    render,
    usage="for /f \"delims=\" %i in ('routic export REF --format cmd') do @%i",
    is_shell=True,
    # Sets ERRORLEVEL to 1. `exit /b 1` would close the window of someone who typed the line.
    failure="cmd /c exit 1\n",
)
