"""`routic keys rename`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import Ref
from routic_cli.domain.keys import KeyChanges
from routic_cli.output.json_out import print_json
from routic_cli.transport.wire import KEY_FIELDS, key_object

EXAMPLES: Final = """
routic keys rename prod-backend prod-api
"""


def run(ctx: typer.Context, ref: Ref, new: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")]) -> None:
    """Give a key another name; its id, its secret and everything else stay."""
    session = session_of(ctx)
    session.require_fields(KEY_FIELDS)
    transport = session.changing_transport
    before = transport.find(ref)
    key = transport.change(before.id, KeyChanges(name=new))
    if key.name == before.name:
        session.console.success(f"{key.id} is called {key.name} already")
    else:
        session.console.success(f"{before.name} is called {key.name} now ({key.id})")
    if session.wants_json:
        print_json(session.console, key_object(key, session.now()), session.fields, known=KEY_FIELDS)
