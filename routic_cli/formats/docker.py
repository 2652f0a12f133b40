"""`docker run --env-file`: `VAR=value`, and everything behind the first `=` is the value, quotes and spaces too.

The `env_file:` of docker compose is another format, and takes `dotenv`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.formats.interface import Entry, Format
from routic_cli.formats.values import line_of


def render(entries: Sequence[Entry]) -> str:
    """One variable a line."""
    return "".join(f"{entry.variable}={line_of(entry, 'docker')}\n" for entry in entries)


FORMAT: Final = Format("docker", render, usage="docker run --env-file <(routic export REF --format docker) IMAGE")
