"""`routic config set`."""

from __future__ import annotations

import shlex
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.config.list import SETTING_FIELDS, setting_object
from routic_cli.config import CA_FILE, TOKEN, TOKEN_FILE
from routic_cli.output.json_out import print_json
from routic_cli.session import Session
from routic_cli.setting_changes import WRITABLE, Change, set_value
from routic_cli.settings import Shown

EXAMPLES: Final = """
routic config set store https://keys.example.com
routic --profile staging config set store https://keys.staging.example.com
routic config set profile staging
routic config set audit.stale_days 60
"""

OUTWEIGHING: Final = {
    "profile": ("ROUTIC_PROFILE",),
    "store": ("ROUTIC_STORE",),
    "ca_file": (CA_FILE,),
    "token_file": (TOKEN, TOKEN_FILE),
}


def run(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="KEY", help=f"{', '.join(WRITABLE)}.", show_default=False)],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value; paths are made absolute.")],
) -> None:
    """Write a setting into the configuration file, and leave the rest of it as it is.

    It goes into the profile that --profile, ROUTIC_PROFILE or the file chooses, which is made when there is none of
    that name; without any into the profile `default`, which becomes the active one. `profile` itself chooses one.
    A threshold of the audit holds whichever profile is chosen.
    """
    session = session_of(ctx)
    session.require_fields(SETTING_FIELDS)
    change = set_value(name, value, session.flags, session.environ)
    _tell(session, name, change)
    if session.wants_json:
        shown = setting_object(Shown(name, change.value, place_of(change)))
        print_json(session.console, shown, session.fields, known=SETTING_FIELDS)


def place_of(change: Change) -> str:
    """Where a setting was written, as `config list` names it."""
    return f"profile {change.profile}" if change.profile is not None else str(change.path)


def _tell(session: Session, name: str, change: Change) -> None:
    where = f" of the profile '{change.profile}'" if change.profile is not None else ""
    session.console.success(f"{name}{where} is {change.value} in {change.path}")
    if change.activated:
        session.console.notice(f"'{change.profile}' is the active profile now")
    elif change.profile is not None and session.flags.profile is not None:
        session.console.notice(
            f"It holds with --profile {change.profile}; routic config set profile {shlex.quote(change.profile)} makes"
            " it the active one"
        )
    for variable in OUTWEIGHING.get(name, ()):
        if session.environ.get(variable):
            session.console.warn(f"{variable} is set and outweighs it")
