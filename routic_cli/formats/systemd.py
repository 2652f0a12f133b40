"""systemd's `EnvironmentFile=`: `VAR=value`, quoted as in a shell.

The file belongs to root with mode 0600. A unit's `LoadCredential=` keeps a secret from child processes, this does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import is_bare, line_of

_SPECIAL: Final = re.compile(r'["\\`$]')


def render(entries: Sequence[Entry]) -> str:
    """One variable a line. systemd ignores values with control characters, so they are refused here."""
    return "".join(f"{entry.variable}={_quoted(line_of(entry, 'systemd'))}\n" for entry in entries)


def _quoted(text: str) -> str:
    # systemd.exec(5): in double quotes "\ followed by any other character than " \ ` $ is preserved". Nothing is
    # expanded. Escaping these four reads the same in releases before 240, which dropped every backslash.
    return text if is_bare(text) else '"' + _SPECIAL.sub(r"\\\g<0>", text) + '"'


FORMAT: Final = Format("systemd", render, usage="routic export REF --format systemd --output /etc/SERVICE.env")
