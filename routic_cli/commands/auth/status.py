"""`routic auth status`."""

from __future__ import annotations

from typing import Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.auth.credential import CREDENTIAL_FIELDS, ask_who, credential_object, credential_pairs
from routic_cli.credentials import IN_KEYRING
from routic_cli.domain.errors import CredentialError, RouticError, UnavailableError
from routic_cli.domain.secret import Secret
from routic_cli.output.inert import without_secrets
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_pairs
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.transport.wire import JsonObject

EXAMPLES: Final = """
routic auth status
routic auth status --fields name,scopes,expires_at
"""

_WORKS: Final = 0


def run(ctx: typer.Context) -> int:
    """Say where the admin credential of the store comes from, whose it is, and whether it works.

    Ends with 0 when it works or none is needed, 4 when it is missing or refused, 7 when the store cannot be reached.
    """
    session = session_of(ctx)
    session.require_fields(CREDENTIAL_FIELDS)
    store = session.config.store_url
    if isinstance(store, RemoteStore):
        shown, error = _examined(session, store)
    else:
        shown, error = credential_object(store.url, None, "not_needed", detail="The store is a file"), None
    if session.wants_json:
        print_json(session.console, shown, session.fields, known=CREDENTIAL_FIELDS)
    else:
        print_pairs(session.console, credential_pairs(shown, session.now()))
        if error is not None and error.remedy:
            session.console.remedy(session.with_its_flags(error.remedy))
    return error.exit_code if error else _WORKS


def _examined(session: Session, store: RemoteStore) -> tuple[JsonObject, RouticError | None]:
    token: Secret | None = None
    source: str | None = None
    try:
        credential = session.credential
        token, source = credential.token, credential.source
        identity = ask_who(session, store, token)
    except (CredentialError, UnavailableError) as error:
        status = "unreachable" if isinstance(error, UnavailableError) else "refused" if token else "missing"
        if status == "refused" and source not in {None, IN_KEYRING}:
            error.remedy = f"another credential in {source}; the keyring is asked where none is set"
        why = without_secrets(". ".join(part.rstrip(".") for part in (error.what, error.why) if part))
        return credential_object(store.url, store, status, source=source, token=token, detail=why), error
    detail = None if identity.may_administer else "It may call the gateway, and administer nothing"
    shown = credential_object(store.url, store, "valid", source=source, token=token, identity=identity, detail=detail)
    return shown, None
