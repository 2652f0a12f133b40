"""`routic keys list`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import parse_tags
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import Key, KeyQuery, KeyStatus, SortField
from routic_cli.domain.times import parse_future, parse_past
from routic_cli.output.json_out import print_json
from routic_cli.output.tables import print_keys
from routic_cli.output.times import relative
from routic_cli.session import Session
from routic_cli.store_url import LocalStore
from routic_cli.transport.paging import all_keys
from routic_cli.transport.wire import KEY_FIELDS, key_object, list_object

EXAMPLES: Final = """
routic keys list
routic keys list --tag env=prod --expiring 7d
routic keys list --unused 90d --fields name,id
"""


def run(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    ctx: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Revoked and expired keys too.")] = False,
    status: Annotated[KeyStatus | None, typer.Option("--status", help="Only keys of this status.")] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="GLOB", help="Only names that match: 'prod-*'.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="K=V", help="Only keys with this tag; may be repeated.")
    ] = None,
    unused: Annotated[
        str | None,
        typer.Option("--unused", metavar="30d", help="Only keys that are older than this and were not used since."),
    ] = None,
    expiring: Annotated[
        str | None, typer.Option("--expiring", metavar="7d", help="Only keys that end within this time.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort", metavar="FIELD", help="name, created_at, expires_at, last_used_at, status; -FIELD turns it round."
        ),
    ] = "name",
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = None,
) -> None:
    """List keys; the live ones unless told otherwise.

    A table on a terminal. In a pipe, tab-separated lines of id, name, status, hint, created, expires, last used; the
    times in RFC 3339.
    """
    if all_ and status is not None:
        raise InvalidRequestError("--all and --status contradict each other", not_done="Nothing was listed")
    session = session_of(ctx)
    session.require_fields(KEY_FIELDS)
    now = session.now()
    query = KeyQuery(
        status=None if all_ else status or KeyStatus.ACTIVE,
        name_glob=name,
        tags=parse_tags(tag),
        unused_since=parse_past(unused, now=now, param="unused") if unused else None,
        expires_before=parse_future(expiring, now=now, param="expiring") if expiring else None,
        sort=_sort_field(sort),
        descending=sort.startswith("-"),
    )
    keys, has_more = all_keys(session.transport, query, limit)
    if session.wants_json:
        objects = (key_object(key, now) for key in keys)
        print_json(session.console, list_object(objects, has_more=has_more), session.fields, known=KEY_FIELDS)
    elif keys:
        print_keys(session.console, keys, now)
    _tell_left_out(session, query, keys, chosen=status is not None)
    _tell_what_is_known(session, query, keys)


def _sort_field(text: str) -> SortField:
    try:
        return SortField(text.removeprefix("-"))
    except ValueError as error:
        raise InvalidRequestError(
            f"--sort cannot be '{text}'", why=f"The fields are {', '.join(SortField)}", param="sort"
        ) from error


def _tell_left_out(session: Session, query: KeyQuery, keys: list[Key], *, chosen: bool) -> None:
    """Say on stderr how many keys are not in the answer, and why; also beside JSON."""
    if session.flags.quiet:
        return
    tally = session.transport.tally(query)
    others = {} if query.status is None else {s: count for s, count in tally.items() if s is not query.status}
    beyond_limit = sum(tally.values()) - sum(others.values()) - len(keys)
    lines = []
    if not keys and not others:
        anything = session.transport.tally(KeyQuery())
        lines.append("No key matches" if anything else _nothing_there(session))
    if beyond_limit > 0:
        lines.append(f"{beyond_limit} more: --limit {len(keys)} left them out")
    if others:
        counts = ", ".join(f"{count} {status}" for status, count in others.items())
        lines.append(f"Not shown: {counts}. {'--status left them out' if chosen else '--all shows them'}")
    for line in lines:
        session.console.say(line, dim=True)


def _tell_what_is_known(session: Session, query: KeyQuery, keys: list[Key]) -> None:
    """Where the usage log does not reach back as far as --unused asks, nobody should revoke by the list alone."""
    if query.unused_since is None or not keys or session.flags.quiet:
        return
    since = keys[0].usage_since
    if since is None:
        session.console.say("No usage log tells of these keys: they are those that are old enough", dim=True)
    elif since > query.unused_since:
        begins = relative(since, session.now())
        session.console.say(f"The usage log begins {begins}: uses before then are not known", dim=True)


def _nothing_there(session: Session) -> str:
    store, url = session.config.store, session.config.store_url
    if store.source != "default" and isinstance(url, LocalStore) and not url.path.exists():
        return f"There is no store at {store.value} yet, which {store.source} names. The first key makes it"
    if session.config.account is not None:
        named = session.config.account
        return f"No keys yet in the account '{named.value}', which {named.source} names"
    return "No keys yet. routic keys create --name NAME makes the first"
