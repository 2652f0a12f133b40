"""`routic usage prune`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.commands.options import DryRun, confirm
from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.times import parse_past
from routic_cli.domain.traffic import HOUR_SECONDS, TrafficQuery
from routic_cli.output.amounts import counted
from routic_cli.output.json_out import print_json
from routic_cli.output.patience import patience
from routic_cli.output.times import absolute
from routic_cli.session import Session
from routic_cli.transport.wire.usage import pruned_object

EXAMPLES: Final = """
routic usage prune --older-than 400d --dry-run
routic usage prune --older-than 400d --yes
"""

_FIELDS: Final = ("object", "events", "before", "dry_run")
_DAY: Final = 86_400


def run(
    ctx: typer.Context,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="90d", help="Calls from before then: 90d, 2026-11-01 or RFC 3339.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Forget the calls of long ago: each of them, and what was counted of their hours.

    Whole hours are forgotten, of this account's calls and of those with keys that are nobody's. When each key was
    used last, and what was spent, stay.
    """
    session = session_of(ctx)
    session.require_fields(_FIELDS)
    before = _whole_hour(parse_past(older_than, now=session.now(), param="older-than"))
    with patience(session.console, "Counting the calls"):
        found = session.transport.usage.summary(TrafficQuery((), until=before)).rows
    _tell_what_goes(session, found[0].calls if found else 0, found[0].first_at if found else before, before)
    if dry_run or not found:
        _print(session, found[0].calls if found else 0, before, dry_run=dry_run)
        if dry_run:
            session.console.notice("Dry run: nothing was forgotten")
        return
    question = f"Forget {counted(found[0].calls, 'call')} for good?"
    confirm(session, question, yes=yes, command=f"routic usage prune --older-than {older_than}")
    usage = session.changing_transport.usage
    with patience(session.console, "Forgetting"):
        forgotten = usage.prune(before)
    session.console.success(f"{counted(forgotten, 'call')} forgotten")
    _print(session, forgotten, before, dry_run=False)


def _whole_hour(at: UnixSeconds) -> UnixSeconds:
    return at - at % HOUR_SECONDS


def _tell_what_goes(session: Session, calls: int, first_at: UnixSeconds, before: UnixSeconds) -> None:
    console = session.console
    if not calls:
        console.notice(f"The usage log has no calls from before {absolute(before)}")
        return
    console.notice(f"{counted(calls, 'call')} from {absolute(first_at)} to before {absolute(before)}")
    console.notice("When each key was used last, and what was spent, stay")
    days = Policy().baseline_days
    if before > session.now() - days * _DAY and not session.wants_json:
        console.warn(f"An audit compares with the {days} days before it, some of which would be gone")


def _print(session: Session, events: int, before: UnixSeconds, *, dry_run: bool) -> None:
    if session.wants_json:
        shown = pruned_object(events) | {"before": before, "dry_run": dry_run}
        print_json(session.console, shown, session.fields, known=_FIELDS)
