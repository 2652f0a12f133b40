"""`routic keys create`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import DryRun, parse_tags
from routic_cli.delivery.env_file import EnvFileSink
from routic_cli.delivery.sink import Sink
from routic_cli.delivery.stdout import StdoutSink, require_open_stdout
from routic_cli.domain.keys import DEFAULT_SCOPES, Key, KeyId, KeyTraits, NewKey, Scope
from routic_cli.domain.lifecycle import key_from_new
from routic_cli.domain.minting import mint_key_id
from routic_cli.domain.rules import checked_traits
from routic_cli.domain.secret import Secret
from routic_cli.domain.times import parse_expiry
from routic_cli.output.json_out import json_text, print_json
from routic_cli.output.times import absolute
from routic_cli.session import Session
from routic_cli.transport.wire import KEY_FIELDS, key_object
from routic_cli.workflows.issue import create_key, preflight_create, version_of

DEFAULT_VARIABLE: Final = "ROUTIC_API_KEY"

EXAMPLES: Final = """
routic keys create --name prod-backend --env-file .env
routic keys create --name ci --expires 90d --tag env=ci --rpm 60
KEY=$(routic keys create --name worker)
"""


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
    env_file: Annotated[
        list[Path] | None, typer.Option("--env-file", metavar="PATH", help="Write it into this file; may be repeated.")
    ] = None,
    var: Annotated[str, typer.Option("--var", metavar="NAME", help="The variable in the file.")] = DEFAULT_VARIABLE,
    show: Annotated[bool, typer.Option("--show", help="Print it as well.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a file that is not safe.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Mint a key, deliver its secret once, and register it.

    The secret goes to standard output, or into files with --env-file. The store keeps its SHA-256 and its hint only:
    nobody can show it again.
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
    files = _file_sinks(session, key_id, env_file or [], var, force=force)
    printing = show or not files
    sinks: list[Sink] = [*files, *([_stdout_sink(session, key_id, traits)] if printing else [])]
    if session.wants_json:
        require_open_stdout()
        _check_fields(session, printing=printing)
    transport = session.transport if dry_run else session.changing_transport
    preflight_create(traits, sinks, transport)
    for notice in _notices(files):
        session.console.warn(notice)
    if dry_run:
        _tell_plan(session, traits, files, printing=printing)
        return
    said = len(_notices(files))
    key = create_key(key_id, traits, sinks, session.desk)
    _tell_result(session, key, files, _notices(files)[said:], printing=printing)


def _file_sinks(
    session: Session, key_id: KeyId, paths: Sequence[Path], variable: str, *, force: bool
) -> list[EnvFileSink]:
    # In the order of their real places, so that two routics that write the same files lock them in the same order.
    places = {path.resolve(): path for path in reversed(paths)}
    return [
        session.env_file_sink(
            places[place], variable, token=f"{key_id}-{number}", force=force, nothing_happened="No key was created"
        )
        for number, place in enumerate(sorted(places))
    ]


def _stdout_sink(session: Session, key_id: KeyId, traits: KeyTraits) -> StdoutSink:
    """The bare secret and a newline, or the key object with `value`; framed by talk on a terminal."""

    def as_json(secret: Secret) -> str:
        key = key_from_new(NewKey(key_id, traits, version_of(secret, number=1, at=session.now())), session.now())
        shown = key_object(key, session.now()) | {"value": secret.reveal()}
        return json_text(shown, session.fields, known=_FIELDS, pretty=session.console.stdout_is_terminal) + "\n"

    def bare(secret: Secret) -> str:
        return secret.reveal() + "\n"

    framed = session.console.stdout_is_terminal and not session.wants_json
    announce: Callable[[], None] = (lambda: _announce(session, traits.name)) if framed else (lambda: None)
    return StdoutSink(as_json if session.wants_json else bare, announce=announce)


_FIELDS: Final = (*KEY_FIELDS, "value")


def _check_fields(session: Session, *, printing: bool) -> None:
    """An unknown field must not be found only after the key exists."""
    if session.fields is not None:
        known = _FIELDS if printing else KEY_FIELDS
        json_text({}, session.fields, known=known)


def _announce(session: Session, name: str) -> None:
    session.console.notice(f"The key of {name}. It is shown this once; copy it now.\n")


def _notices(files: Sequence[EnvFileSink]) -> list[str]:
    return [notice for sink in files for notice in sink.notices]


def _tell_plan(session: Session, traits: KeyTraits, files: Sequence[EnvFileSink], *, printing: bool) -> None:
    places = [f"{record['path']} as {record['variable']}" for record in (sink.record() for sink in files)]
    if printing:
        places.append("standard output")
    if session.wants_json:
        session.console.data(json_text({"dry_run": True, "name": traits.name, "destinations": places}) + "\n")
        return
    session.console.success(f"{traits.name} could be created now, and delivered to {', '.join(places)}")
    session.console.notice("Dry run: no key was created")


def _tell_result(
    session: Session, key: Key, files: Sequence[EnvFileSink], notices: Sequence[str], *, printing: bool
) -> None:
    console = session.console
    if printing and console.stdout_is_terminal and not session.wants_json:
        console.say("")
    for notice in notices:
        console.warn(notice)
    ends = f"until {absolute(key.traits.expires_at)}" if key.traits.expires_at is not None else "until it is revoked"
    console.success(f"{key.name} ({key.id}) is active {ends}")
    for sink in files:
        record = sink.record()
        console.success(f"Its key is in {record['path']} as {record['variable']}")
    if session.wants_json and not printing:
        print_json(console, key_object(key, session.now()), session.fields, known=KEY_FIELDS)
