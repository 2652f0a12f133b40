"""The options that the usage commands share: of which time, for which keys, in which form."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

import typer

from routic_cli.commands.options import complete_key_names
from routic_cli.domain.errors import InsufficientScopeError, InvalidRequestError
from routic_cli.domain.keys import KeyId, UnixSeconds, is_key_id
from routic_cli.domain.times import parse_past
from routic_cli.domain.traffic import TrafficQuery
from routic_cli.output.amounts import counted
from routic_cli.output.times import absolute
from routic_cli.session import Session

Since = Annotated[str, typer.Option("--since", metavar="TIME", help="From then on: 7d, 24h, 2026-11-01 or RFC 3339.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then; now unless it is given.")]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="REF", help="Only calls with this key; may be repeated.", autocompletion=complete_key_names
    ),
]


class Period(NamedTuple):
    """The time that is asked about, and the moment it is asked at."""

    since: UnixSeconds
    until: UnixSeconds
    now: UnixSeconds


def period_of(session: Session, since: str, until: str | None) -> Period:
    """What --since and --until mean; InvalidRequestError for a time that is none, or ends before it begins."""
    now = session.now()
    begin = parse_past(since, now=now, param="since")
    end = now if until is None else parse_past(until, now=now, param="until")
    if begin >= end:
        why = f"--since {since} is not before {f'--until {until}' if until else 'now'}"
        raise InvalidRequestError("There is no time between --since and --until", why=why, param="since")
    return Period(begin, end, now)


def key_ids_of(session: Session, refs: Sequence[str]) -> tuple[KeyId, ...]:
    """The ids of the keys meant, each once. KeyNotFoundError, AmbiguousRefError.

    Whoever may see usage alone may not look a key up, and may name it by its whole id.
    """
    return tuple(dict.fromkeys(_key_id_of(session, ref) for ref in refs))


def _key_id_of(session: Session, ref: str) -> KeyId:
    try:
        return session.transport.find(ref).id
    except InsufficientScopeError as error:
        if is_key_id(ref):
            return KeyId(ref)
        error.why = ". ".join([error.why.rstrip("."), "A name is looked up among the keys; a whole id would not be"])
        error.not_done = "Nothing was counted"
        raise


def settle_format(session: Session, chosen: StrEnum | None) -> str:
    """The name of the form to print in: `table` unless told. `--format json` is `--json`, for errors too.

    InvalidRequestError where --json or --fields ask for another form than --format.
    """
    if chosen is None:
        return "json" if session.wants_json else "table"
    if chosen.value == "json":
        session.flags.json = True
    elif session.wants_json:
        asked = "--fields" if session.flags.fields is not None else "--json"
        raise InvalidRequestError(f"{asked} and --format {chosen} contradict each other", param="format")
    return chosen.value


def describe_period(period: Period) -> str:
    """`from 2026-11-16 13:05 UTC to now`."""
    end = "now" if period.until == period.now else _minute(period.until)
    return f"from {_minute(period.since)} to {end}"


def tell(session: Session, text: str) -> None:
    """A line of talk beside an answer, which JSON has too; not when quiet."""
    if not session.wants_json:
        session.console.notice(text)
    elif not session.flags.quiet:
        session.console.say(text)


def tell_of_nothing(session: Session, period: Period, key_ids: Sequence[KeyId]) -> None:
    """Say that no call is in the log of this time, and what can be done: another time, or filling the log."""
    if session.flags.quiet:
        return
    ever = session.transport.usage.summary(TrafficQuery((), key_ids=tuple(key_ids) or None)).rows
    these = " with these keys" if key_ids else ""
    if ever:
        first, last = _minute(ever[0].first_at), _minute(ever[0].last_at)
        tell(
            session,
            f"No calls{these} {describe_period(period)}."
            f" The log has {counted(ever[0].calls, 'call')}{these}, from {first} to {last}",
        )
        return
    tell(session, f"The usage log has no calls{these}")
    if not key_ids:
        tell(session, "routic serve fills it as it answers a gateway; a gateway's own log can be read in")
        session.console.remedy(session.with_its_flags("routic usage import /var/log/nginx/access.log"))


def _minute(at: UnixSeconds) -> str:
    return f"{absolute(at)[:16].replace('T', ' ')} UTC"
