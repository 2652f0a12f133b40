"""`routic config get`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.config.list import SETTING_FIELDS, setting_object
from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.output.inert import inert
from routic_cli.output.json_out import print_json
from routic_cli.settings import READABLE, all_settings

EXAMPLES: Final = """
routic config get store
routic --profile work config get ca_file --json
routic config get audit.stale_days
"""


def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="KEY", help=f"{', '.join(READABLE)}.", show_default=False)],
) -> None:
    """Print the value that a setting has here and now. Ends with 1 when it has none."""
    session = session_of(ctx)
    session.require_fields(SETTING_FIELDS)
    found = next((s for s in all_settings(session.config, session.flags, session.environ) if s.name == name), None)
    if found is None:
        raise InvalidRequestError(f"There is no setting '{name}'", why=f"The settings are {', '.join(READABLE)}")
    if session.wants_json:
        print_json(session.console, setting_object(found), session.fields, known=SETTING_FIELDS)
    elif name == "token":
        raise InvalidRequestError(
            "A credential is never printed", why=f"It comes from: {found.source}", remedy="routic auth status"
        )
    elif found.value is None:
        raise RouticError(f"{name} is not set", remedy="routic config list")
    else:
        session.console.data(f"{inert(found.value)}\n")
