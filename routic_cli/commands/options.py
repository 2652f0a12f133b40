"""The arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import typer

from routic_cli.command_line import session_of
from routic_cli.domain.errors import ConfirmationNeededError, InterruptedByUserError, InvalidRequestError, RouticError
from routic_cli.domain.keys import Key, KeyQuery, KeyStatus
from routic_cli.session import Session


def complete_key_names(ctx: typer.Context, incomplete: str) -> Iterable[tuple[str, str]]:
    """The names of live keys that begin so, for the shell."""
    try:
        page = session_of(ctx).transport.page(KeyQuery(status=KeyStatus.ACTIVE))
    except RouticError:
        return []  # the shell's line is no place for an error; the command itself will tell it
    return [(key.name, key.id) for key in page.keys if key.name.startswith(incomplete)]


Ref = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        help="A key's name, its id, or a unique beginning of its id.",
        show_default=False,
        autocompletion=complete_key_names,
    ),
]

Refs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="REF…",
        help="Names, ids, or unique beginnings of ids.",
        show_default=False,
        autocompletion=complete_key_names,
    ),
]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")]


def parse_tags(texts: Iterable[str] | None) -> Mapping[str, str]:
    """`K=V` pairs as a mapping; the last of several for one K counts."""
    tags = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidRequestError(f"--tag takes K=V, not '{text}'", not_done="Nothing was done", param="tag")
        tags[name] = value
    return tags


def confirm(session: Session, question: str, *, yes: bool, command: str) -> None:
    """Go on, or end: `--yes`, else a question to the person at the terminal, else an error."""
    if yes:
        return
    if not session.console.can_ask:
        raise ConfirmationNeededError(
            "This needs a confirmation",
            why="Nobody can be asked: standard input and error are not a terminal",
            not_done="Nothing was done",
            remedy=f"{command} --yes",
        )
    if not session.console.confirm(question):
        raise InterruptedByUserError("Declined", not_done="Nothing was done")


def described(key: Key) -> str:
    """A key in a sentence."""
    return f"{key.name} ({key.id})"
