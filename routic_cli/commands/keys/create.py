"""`routic keys create`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.destinations import (
    EnvFiles,
    Force,
    InKeyring,
    Show,
    Variable,
    named_places,
    notices_of,
    place_in_words,
    require_output,
    sinks_at,
    stdout_sink,
    tell_delivered,
)
from routic_cli.commands.options import DryRun, described, parse_tags
from routic_cli.delivery.sink import DEFAULT_VARIABLE, Sink
from routic_cli.domain.keys import DEFAULT_SCOPES, Key, KeyTraits, NewKey, Scope
from routic_cli.domain.lifecycle import key_from_new
from routic_cli.domain.minting import mint_key_id
from routic_cli.domain.rules import checked_traits
from routic_cli.domain.secret import Secret
from routic_cli.domain.times import parse_expiry
from routic_cli.output.json_out import print_json
from routic_cli.output.times import absolute
from routic_cli.session import Session
from routic_cli.workflows.issue import create_key, preflight_create, version_of
from routic_cli.workflows.placements import require_expendable

EXAMPLES: Final = """
routic keys create --name prod-backend --env-file .env
routic keys create --name ci --expires 90d --tag env=ci --rpm 60
KEY=$(routic keys create --name worker)
"""

_PLAN_FIELDS: Final = ("dry_run", "name", "destinations")
_NOTHING_HAPPENED: Final = "No key was created"


def run(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    ctx: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="One key per service and environment.")],
    expires: Annotated[
        str, typer.Option("--expires", metavar="WHEN", help="90d, 2027-01-31, RFC 3339, or never.")
    ] = "never",
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="K=V", help="A tag; may be repeated.")] = None,
    rpm: Annotated[int | None, typer.Option("--rpm", metavar="N", help="Requests per minute.")] = None,
    scope: Annotated[
        list[Scope] | None, typer.Option("--scope", help="What the key may do; may be repeated. api by default.")
    ] = None,
    env_file: EnvFiles = None,
    var: Variable = DEFAULT_VARIABLE,
    keyring: InKeyring = False,
    show: Show = False,
    force: Force = False,
    dry_run: DryRun = False,
) -> None:
    """Mint a key, deliver its secret once, and register it.

    The secret goes to standard output, or into files with --env-file, or into the keyring. The store keeps its SHA-256
    and its hint only: nobody can show it again.
    """
    session = session_of(ctx)
    traits = checked_traits(
        KeyTraits(
            name=name,
            tags=parse_tags(tag),
            scopes=tuple(scope) if scope else DEFAULT_SCOPES,
            rpm=rpm,
            expires_at=parse_expiry(expires, now=session.now()),
        )
    )
    key_id = mint_key_id()
    places = named_places(env_file, var, key_id, keyring=keyring)
    sinks = sinks_at(session, places, key_id, 1, force=force, nothing_happened=_NOTHING_HAPPENED)
    printing = show or not sinks
    if dry_run:
        session.require_fields(_PLAN_FIELDS)
    else:
        require_output(session, printing=printing, nothing_happened=_NOTHING_HAPPENED)
    if printing:

        def expected(secret: Secret) -> Key:
            now = session.desk.now  # which is what the store is told
            return key_from_new(NewKey(key_id, traits, version_of(secret, number=1, at=now)), now)

        announcement = f"The key of {traits.name}. It is shown this once; copy it now."
        sinks.append(stdout_sink(session, expected, announcement))
    transport = session.transport if dry_run else session.changing_transport
    preflight_create(traits, sinks, transport)
    before = notices_of(sinks)

    def guard() -> list[str]:
        return require_expendable(sinks, key_id, transport, session.placement_at, force=force)

    for notice in (*before, *guard()):
        session.console.warn(notice)
    if dry_run:
        _tell_plan(session, traits, sinks, printing=printing)
        return
    key = create_key(key_id, traits, sinks, session.desk, guard)
    for notice in notices_of(sinks)[len(before) :]:
        session.console.warn(notice)
    ends = f"until {absolute(key.traits.expires_at)}" if key.traits.expires_at is not None else "until it is revoked"
    tell_delivered(session, key, sinks, f"{described(key)} is active {ends}", printing=printing)


def _tell_plan(session: Session, traits: KeyTraits, sinks: Sequence[Sink], *, printing: bool) -> None:
    places = [place_in_words(place) for sink in sinks if (place := sink.placement()) is not None]
    if printing:
        places.append("standard output")
    if session.wants_json:
        plan = {"dry_run": True, "name": traits.name, "destinations": places}
        print_json(session.console, plan, session.fields, known=_PLAN_FIELDS)
        return
    session.console.success(f"{traits.name} could be created now, and delivered to {', '.join(places)}")
    session.console.notice("Dry run: no key was created")
