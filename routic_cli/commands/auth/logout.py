"""`routic auth logout`."""

from __future__ import annotations

from typing import Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.auth.credential import require_remote
from routic_cli.output.json_out import print_json

EXAMPLES: Final = """
routic auth logout
routic --store https://keys.example.com auth logout
"""

_FIELDS: Final = ("object", "store", "origin", "hint", "changed")


def run(ctx: typer.Context) -> None:
    """Remove the admin credential of a remote store from the keyring. That there is none is success.

    The key itself stays valid: revoke it where it is not needed any more.
    """
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    store = require_remote(session, not_done="Nothing was removed")
    credentials = session.credentials(store)
    kept = credentials.kept()
    if kept is None:
        session.console.success(f"The keyring has no credential for {store.origin}")
    else:
        credentials.forget()
        session.console.success(f"Logged out of {store.origin}: the keyring has {kept.hint} no more")
        session.console.notice(f"The key itself stays valid, wherever else it is. To end it: {_revoking(store.url)}")
    outranking = credentials.outranking()
    if outranking is not None:
        session.console.warn(f"{outranking.source} still has a credential, and commands go on using it")
    if session.wants_json:
        shown = {
            "object": "credential",
            "store": store.url,
            "origin": store.origin,
            "hint": kept.hint if kept else None,
            "changed": kept is not None,
        }
        print_json(session.console, shown, session.fields, known=_FIELDS)


def _revoking(url: str) -> str:
    return f"routic --store {url} keys revoke NAME, with another credential or on the server"
