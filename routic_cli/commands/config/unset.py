"""`routic config unset`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.config.list import SETTING_FIELDS, setting_object
from routic_cli.commands.config.set import place_of
from routic_cli.output.json_out import print_json
from routic_cli.setting_changes import WRITABLE, unset_value
from routic_cli.settings import Shown

EXAMPLES: Final = """
routic config unset ca_file
routic --profile staging config unset token_file
"""

_FIELDS: Final = (*SETTING_FIELDS, "changed")


def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="KEY", help=f"{', '.join(WRITABLE)}.", show_default=False)],
) -> None:
    """Remove a setting from the configuration file; from the chosen profile. That it is not there is success."""
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    change = unset_value(name, session.flags, session.environ)
    where = place_of(change)
    session.console.success(
        f"{name} is no longer set in {where}" if change.changed else f"{name} is not set in {where}"
    )
    if session.wants_json:
        shown = setting_object(Shown(name, None, where)) | {"changed": change.changed}
        print_json(session.console, shown, session.fields, known=_FIELDS)
