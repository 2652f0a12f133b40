"""`routic keys show`."""

from __future__ import annotations

from typing import Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import Ref
from routic_cli.delivery.sink import Placement
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_key
from routic_cli.transport.wire import KEY_FIELDS, key_object, placement_object
from routic_cli.workflows.placements import inspect

EXAMPLES: Final = """
routic keys show prod-backend
routic keys show key_7v --fields status,expires_at
"""

_FIELDS: Final = (*KEY_FIELDS, "placements")


def run(ctx: typer.Context, ref: Ref) -> None:
    """Show one key: its versions, its limits, its last use, and where this machine has it."""
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    key = session.transport.find(ref)
    placed = [(each, inspect(each, key, session.now())) for each in session.placements(key.id)]
    if session.wants_json:
        shown = key_object(key, session.now()) | {
            "placements": [placement_object(each, holds) for each, holds in placed]
        }
        print_json(session.console, shown, session.fields, known=_FIELDS)
    else:
        places = [(Placement(each.kind, each.location, each.variable), str(holds)) for each, holds in placed]
        print_key(session.console, key, places, session.now())
