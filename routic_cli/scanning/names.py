"""Keys in the names of files."""

from __future__ import annotations

import os
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
