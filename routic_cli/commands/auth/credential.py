"""What the commands of `auth` share: the store that has to be a remote one, and a credential as it is shown."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Secret
from routic_cli.output.times import absolute, relative
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.transport.wire import JsonObject
from routic_cli.workflows.identity import Identity, identify

CREDENTIAL_FIELDS: Final = (
    "object",
    "store",
    "origin",
    "status",
    "source",
    "hint",
    "id",
    "name",
    "scopes",
    "expires_at",
    "detail",
)


def require_remote(session: Session, *, not_done: str) -> RemoteStore:
    """The store behind an admin API; InvalidRequestError for a file, which needs no credential."""
    store = session.config.store_url
    if isinstance(store, RemoteStore):
        return store
    raise InvalidRequestError(
        "This store needs no credential",
        why="It is a file, and its permissions say who may use it",
        not_done=not_done,
        remedy="routic --store https://HOST auth login, for an admin API",
        param="store",
    )


def ask_who(session: Session, store: RemoteStore, token: Secret) -> Identity:
    """Whose credential the token is, asked of the store with that token and no other."""
    with closing(session.remote_transport(store, token)) as transport:
        return identify(transport, token)


def credential_object(
    store_url: str,
    store: RemoteStore | None,
    status: str,
    *,
    source: str | None = None,
    token: Secret | None = None,
    identity: Identity | None = None,
    detail: str | None = None,
) -> JsonObject:
    """A credential as `auth` shows it: `valid`, `missing`, `refused`, `unreachable` or `not_needed`; its hint only."""
    key = identity.key if identity else None
    return {
        "object": "credential",
        "store": store_url,
        "origin": store.origin if store else None,
        "status": status,
        "source": source,
        "hint": token.hint if token else None,
        "id": key.id if key else None,
        "name": key.name if key else None,
        "scopes": [scope.value for scope in key.traits.scopes] if key else None,
        "expires_at": identity.ends_at if identity else None,
        "detail": detail,
    }


def credential_pairs(shown: JsonObject, now: UnixSeconds) -> list[tuple[str, str]]:
    """The same for a person or a pipe: what is known of it, under each other."""
    scopes, end = shown["scopes"], shown["expires_at"]
    pairs = [
        ("Store", shown["store"]),
        ("Status", str(shown["status"]).replace("_", " ")),
        ("Why", shown["detail"]),
        ("From", shown["source"]),
        ("Hint", shown["hint"]),
        ("Name", shown["name"]),
        ("ID", shown["id"]),
        ("Scopes", ", ".join(scopes) if isinstance(scopes, list) else None),
    ]
    if isinstance(end, int):
        pairs.append(("Expires", f"{relative(end, now)} ({absolute(end)})"))
    elif shown["name"] is not None:
        pairs.append(("Expires", "never"))
    return [(label, str(value)) for label, value in pairs if value is not None]
