"""Names of files: keys in them, and how they are typed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from routic_cli.domain.key_format import PREFIX, hint_of
from routic_cli.domain.secret import fingerprint_of
from routic_cli.scanning.find import keys_in
from routic_cli.scanning.sightings import Sighting


def keys_in_name(file: str) -> Iterator[Sighting]:
    """Every key in the name itself, which has no line."""
    if PREFIX in file:
        for found in keys_in(os.fsencode(file)):
            yield Sighting(file, None, None, fingerprint_of(found.text), hint_of(found.text))


def typed(name: str) -> str:
    """The name as a word of a shell command, on one line and showing all that it has: `$'…'` where `'…'` does not."""
    if name.isprintable():
        return shlex.quote(name)
    return f"$'{''.join(map(_typed, name))}'"


def _typed(char: str) -> str:
    if char in {"'", "\\"}:
        return f"\\{char}"
    # Octal has an end wherever it is read; hexadecimal takes the digits that follow with it in some shells.
    return char if char.isprintable() else "".join(f"\\{byte:03o}" for byte in os.fsencode(char))
