"""direnv: an `.envrc` is bash, and direnv keeps what it exports. `.envrc` then holds no secret and can be committed."""

from __future__ import annotations

from typing import Final

from routic_cli.formats.interface import Format
from routic_cli.formats.sh import render

FORMAT: Final = Format(
    "direnv", render, usage='eval "$(routic export REF --format direnv)"', is_shell=True, failure="false\n"
)
