"""JSON: one object, `{"VAR": "value"}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import text_of


def rendered(entries: Sequence[Entry], format_name: str) -> str:
    """One line of ASCII, so that no locale or code page on the way can change it."""
    import json

    return json.dumps({entry.variable: text_of(entry, format_name) for entry in entries}) + "\n"


FORMAT: Final = Format(
    "json", lambda entries: rendered(entries, "json"), usage="routic export REF --format json | jq -r .ROUTIC_API_KEY"
)
