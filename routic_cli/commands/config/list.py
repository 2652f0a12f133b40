"""`routic config list`."""

from __future__ import annotations

from typing import Final

import typer

from routic_cli.command_line import session_of
from routic_cli.output.cells import Span
from routic_cli.output.json_out import print_json
from routic_cli.output.tables import print_table
from routic_cli.settings import Shown, all_settings
from routic_cli.transport.wire import JsonObject, list_object

EXAMPLES: Final = """
routic config list
routic --profile work config list --json
"""

SETTING_FIELDS: Final = ("object", "name", "value", "source")


def run(ctx: typer.Context) -> None:
    """List every setting with its value and where it came from: a flag, a variable, a profile, or the default.

    In a pipe, tab-separated lines of name, value, source. A credential is never shown.
    """
    session = session_of(ctx)
    session.require_fields(SETTING_FIELDS)
    settings = all_settings(session.config, session.flags, session.environ)
    if session.wants_json:
        print_json(session.console, list_object(map(setting_object, settings)), session.fields, known=SETTING_FIELDS)
        return
    rows = [(each.name, Span(each.source, "dim"), each.value or "") for each in settings]
    if session.console.stdout_is_terminal:
        print_table(session.console, ("Setting", "From", "Value"), rows)
    else:
        print_table(session.console, (), [(name, value, source) for name, source, value in rows])


def setting_object(setting: Shown) -> JsonObject:
    """A setting, as `config list` and `config get` show it."""
    return {"object": "setting", "name": setting.name, "value": setting.value, "source": setting.source}
