"""From the flags that name destinations to sinks, for every command that delivers a secret."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from routic_cli.delivery.sink import DEFAULT_VARIABLE, ENV_FILE, KEYRING, Placement, Sink
from routic_cli.delivery.stdout import StdoutSink, require_open_stdout
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import Key, KeyId
from routic_cli.domain.minting import mint_operation_id
from routic_cli.domain.secret import Secret
from routic_cli.output.json_out import json_text, print_json
from routic_cli.session import Session
from routic_cli.transport.wire import KEY_FIELDS, key_object

FIELDS_WITH_VALUE: Final = (*KEY_FIELDS, "value")

EnvFiles = Annotated[
    list[Path] | None,
    typer.Option("--env-file", metavar="PATH", readable=False, help="Write it into this file; may be repeated."),
]
Variable = Annotated[str, typer.Option("--var", metavar="NAME", help="The variable in the file.")]
InKeyring = Annotated[bool, typer.Option("--keyring", help="Put it into the keyring of this system.")]
Show = Annotated[bool, typer.Option("--show", help="Print it as well.")]
Force = Annotated[bool, typer.Option("--force", help="Write into a file that is not safe.")]


def sinks_at(
    session: Session, places: Iterable[Placement], key_id: KeyId, number: int, *, force: bool, nothing_happened: str
) -> list[Sink]:
    """A sink for each place, each place once.

    In the order of their names, so that two routics that write the same files lock them in the same order.
    """
    unique = {(place.kind, place.location, place.variable): place for place in places}
    sinks: list[Sink] = []
    for count, (_, place) in enumerate(sorted(unique.items())):
        if place.kind == KEYRING:
            from routic_cli.delivery.keyring_sink import KeyringSink

            sinks.append(KeyringSink(key_id, number, nothing_happened=nothing_happened))
        else:
            # Random: two rotations of one key at once must not stage under one name.
            token = f"{mint_operation_id()}-{count}"
            sinks.append(
                session.env_file_sink(
                    Path(place.location), place.variable, token=token, force=force, nothing_happened=nothing_happened
                )
            )
    return sinks


def named_places(files: Sequence[Path] | None, variable: str, key_id: KeyId, *, keyring: bool) -> list[Placement]:
    """The places that the flags name; a file that is named twice, or through a link, is one place."""
    if any(str(path) in {"-", "."} for path in files or []):
        raise InvalidRequestError(
            "--env-file takes a file", why="Without it the secret goes to standard output", not_done="Nothing was done"
        )
    if not files and variable != DEFAULT_VARIABLE:
        raise InvalidRequestError("--var goes with --env-file", not_done="Nothing was done", param="var")
    places = {os.path.realpath(path): Placement(ENV_FILE, str(path), variable) for path in reversed(files or [])}
    in_keyring = [Placement(KEYRING, f"routic:{key_id}", "")] if keyring else []
    return [*places.values(), *in_keyring]


def stdout_sink(session: Session, expected: Callable[[Secret], Key], announcement: str) -> StdoutSink:
    """Standard output as a destination: the bare secret and a newline, or the key object with `value`.

    `expected` gives the key as it will be once it is registered; on a terminal, `announcement` stands before it.
    """

    def as_json(secret: Secret) -> str:
        shown = key_object(expected(secret), session.now()) | {"value": secret.reveal()}
        pretty = session.console.stdout_is_terminal
        return json_text(shown, session.fields, known=FIELDS_WITH_VALUE, pretty=pretty) + "\n"

    def bare(secret: Secret) -> str:
        return secret.reveal() + "\n"

    if session.wants_json:
        return StdoutSink(as_json)
    if not session.console.stdout_is_terminal:
        return StdoutSink(bare)
    return StdoutSink(bare, announce=lambda: session.console.notice(f"{announcement}\n"))


def require_output(session: Session, *, printing: bool, nothing_happened: str) -> None:
    """What --json will need at the end is looked at before anything exists."""
    if session.wants_json:
        require_open_stdout(not_done=nothing_happened)
        session.require_fields(FIELDS_WITH_VALUE if printing else KEY_FIELDS)


def notices_of(sinks: Sequence[Sink]) -> list[str]:
    """What the sinks have to say so far."""
    return [notice for sink in sinks for notice in sink.notices]


def tell_delivered(session: Session, key: Key, sinks: Sequence[Sink], sentence: str, *, printing: bool) -> None:
    """What has come of a delivery; under --json the key object, unless it was printed with its value."""
    console = session.console
    if printing and console.stdout_is_terminal and not session.wants_json:
        console.say("")
    console.success(sentence)
    for sink in sinks:
        placement = sink.placement()
        if placement is not None:
            console.success(f"Its key is in {place_in_words(placement)}")
    if session.wants_json and not printing:
        print_json(console, key_object(key, session.now()), session.fields, known=KEY_FIELDS)


def place_in_words(place: Placement) -> str:
    """A place in a sentence."""
    return "the keyring of this system" if place.kind == KEYRING else f"{place.location} as {place.variable}"
