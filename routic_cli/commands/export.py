"""`routic export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.exporting import chosen_format, export
from routic_cli.commands.options import Refs
from routic_cli.formats import NAMES

EXAMPLES: Final = """
eval "$(routic export prod-backend)"
eval (routic export --format fish prod-backend)
routic export --format systemd --output /etc/myapp/key.env prod-backend
"""


def run(  # one parameter for each flag
    ctx: typer.Context,
    refs: Refs = None,
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="F", help=f"{', '.join(NAMES)}; by default that of the shell that asks."),
    ] = None,
    var: Annotated[str | None, typer.Option("--var", metavar="NAME", help="The variable, for one REF.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Into this file, private, instead of on stdout.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Even if standard output is a terminal.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is not an earlier export.")] = False,
) -> None:
    """Print keys as a shell, a CI system or a service manager reads them.

    Only secrets that this machine can read again, and that are the current version of an active key. VAR=REF chooses a
    variable for each key; without a REF, it takes the keys that the files of this folder were given. When it fails,
    the formats of shells print what makes `eval` fail.
    """
    session = session_of(ctx)
    chosen = chosen_format(format_ or ("json" if session.wants_json else None))
    export(session, chosen, refs, var, output, show=show, force=force)
