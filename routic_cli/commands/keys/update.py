"""`routic keys update`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import Ref, described, parse_tags
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import UNSET, KeyChanges, Unset
from routic_cli.domain.times import parse_expiry
from routic_cli.output.json_out import print_json
from routic_cli.transport.wire import KEY_FIELDS, key_object

EXAMPLES: Final = """
routic keys update prod-backend --expires 90d
routic keys update prod-backend --rpm none --tag team=core --untag trial
"""


def run(
    ctx: typer.Context,
    ref: Ref,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="WHEN", help="90d, 2027-01-31, RFC 3339, or never.")
    ] = None,
    rpm: Annotated[str | None, typer.Option("--rpm", metavar="N", help="Requests per minute, or none.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="K=V", help="Set a tag; may be repeated.")] = None,
    untag: Annotated[
        list[str] | None, typer.Option("--untag", metavar="K", help="Remove a tag; may be repeated.")
    ] = None,
) -> None:
    """Change a key in place: when it ends, its limit, its tags."""
    session = session_of(ctx)
    session.require_fields(KEY_FIELDS)
    tags: dict[str, str | None] = dict(parse_tags(tag))
    tags |= dict.fromkeys(untag or (), None)
    changes = KeyChanges(
        expires_at=UNSET if expires is None else parse_expiry(expires, now=session.now()),
        rpm=UNSET if rpm is None else _parse_rpm(rpm),
        tags=tags,
    )
    if changes == KeyChanges():
        raise InvalidRequestError(
            "Nothing to change was given",
            not_done="Nothing was done",
            remedy=f"routic keys update {ref} --expires 90d",
        )
    transport = session.changing_transport
    before = transport.find(ref)
    key = transport.change(before.id, changes)
    if key == before:
        session.console.success(f"{described(key)} is so already")
    else:
        session.console.success(f"{described(key)} is updated")
    if session.wants_json:
        print_json(session.console, key_object(key, session.now()), session.fields, known=KEY_FIELDS)


def _parse_rpm(text: str) -> int | Unset | None:
    if text.lower() == "none":
        return None
    if not text.isascii() or not text.isdigit():
        raise InvalidRequestError(f"--rpm cannot be '{text}'", why="It takes a whole number, or none", param="rpm")
    return int(text)
