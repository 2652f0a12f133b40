"""`routic config path`."""

from __future__ import annotations

from typing import Final

import typer

from routic_cli.command_line import session_of
from routic_cli.output.json_out import print_json
from routic_cli.paths import default_paths

EXAMPLES: Final = """
routic config path
"${EDITOR:-vi}" "$(routic config path)"
"""

_FIELDS: Final = ("object", "path", "exists")


def run(ctx: typer.Context) -> None:
    """Print where the configuration file is, or would be. It need not exist, nor be readable."""
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    path = default_paths(session.environ).config_file
    if session.wants_json:
        shown = {"object": "config_file", "path": str(path), "exists": path.exists()}
        print_json(session.console, shown, session.fields, known=_FIELDS)
    else:
        session.console.data(f"{path}\n")
