"""`routic auth login`."""

from __future__ import annotations

from typing import Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.auth.credential import (
    CREDENTIAL_FIELDS,
    ask_who,
    credential_object,
    credential_pairs,
    require_remote,
)
from routic_cli.commands.secret_input import read_secret
from routic_cli.credentials import IN_KEYRING, Credentials, check_typed
from routic_cli.domain.errors import InsufficientScopeError, RouticError
from routic_cli.domain.secret import Secret
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_pairs
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.workflows.identity import Identity

EXAMPLES: Final = """
routic --store https://keys.example.com auth login
op read op://team/routic/credential | routic auth login
"""

_NOT_STORED: Final = "Nothing was stored"


def run(ctx: typer.Context) -> None:
    """Keep the admin credential of a remote store in the keyring of this system.

    Reads it from standard input or a hidden prompt, and asks the store whose it is before it is kept. It is bound to
    the scheme, host and port that it was entered for, and is sent nowhere else.
    """
    session = session_of(ctx)
    session.require_fields(CREDENTIAL_FIELDS)
    store = require_remote(session, not_done=_NOT_STORED)
    credentials = session.credentials(store)
    token, identity = _accepted(session, store, credentials)
    shown = credential_object(store.url, store, "valid", source=IN_KEYRING, token=token, identity=identity)
    session.console.success(f"Logged in to {store.origin} as '{identity.key.name}'; the keyring has the credential")
    outranking = credentials.outranking()
    if outranking is not None:
        session.console.warn(f"{outranking.source} is set and outranks the keyring")
    if session.wants_json:
        print_json(session.console, shown, session.fields, known=CREDENTIAL_FIELDS)
    else:
        print_pairs(session.console, credential_pairs(shown, session.now()))


def _accepted(session: Session, store: RemoteStore, credentials: Credentials) -> tuple[Secret, Identity]:
    """The credential, kept; the keyring is asked before a person types, and the store before anything is kept."""
    try:
        credentials.kept()
        token = read_secret(session, f"Admin credential for {store.origin}")
        check_typed(token)
        identity = ask_who(session, store, token)
        _require_use(identity)
        credentials.keep(token)
    except RouticError as error:
        error.not_done = _NOT_STORED
        raise
    return token, identity


def _require_use(identity: Identity) -> None:
    if not identity.may_administer:
        raise InsufficientScopeError(
            f"'{identity.key.name}' may call the gateway, and administer nothing",
            why="Its one scope is api: it is a key for a service, not an admin credential",
            remedy="routic keys create --name ops --scope admin, on the server's own store",
        )
