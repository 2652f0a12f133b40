"""`routic rotate`, also reachable as `routic keys rotate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from routic_cli.commands.options import DryRun, Ref, confirm, described
from routic_cli.commands.rotate_modes import abort_rotation, finish_rotation, show_status
from routic_cli.commands.waiting import await_verdicts
from routic_cli.delivery.placed import read_secret
from routic_cli.delivery.sink import DEFAULT_VARIABLE, Placement, Sink
from routic_cli.domain.errors import ConflictError, InvalidRequestError
from routic_cli.domain.keys import Key
from routic_cli.domain.operations import PlacedVersion
from routic_cli.domain.rotation import ends_of_rotation, rotated
from routic_cli.domain.secret import Secret
from routic_cli.domain.times import parse_duration
from routic_cli.output.json_out import print_json
from routic_cli.output.times import last_use, relative
from routic_cli.session import Session
from routic_cli.transport.wire import list_object
from routic_cli.workflows.issue import version_of
from routic_cli.workflows.placements import PlacementState, inspect, require_expendable
from routic_cli.workflows.rotation import (
    Plan,
    plan_rotation,
    require_unheld,
    rotate,
)

EXAMPLES: Final = """
routic rotate prod-backend --grace 24h
routic rotate prod-backend --status
routic rotate prod-backend --finish
"""

_NOTHING_HAPPENED: Final = "No version was created"
_DEFAULT_GRACE: Final = "24h"
_PLAN_FIELDS: Final = ("location", "kind", "variable", "holds", "would")


def run(  # noqa: PLR0913, PLR0917  # one parameter for each flag
    ctx: typer.Context,
    ref: Ref,
    grace: Annotated[
        str, typer.Option("--grace", metavar="24h", help="How long the old version is let in beside the new one.")
    ] = _DEFAULT_GRACE,
    now: Annotated[bool, typer.Option("--now", help="No grace: the old version ends at once.")] = False,
    env_file: EnvFiles = None,
    var: Variable = DEFAULT_VARIABLE,
    keyring: InKeyring = False,
    show: Show = False,
    status: Annotated[bool, typer.Option("--status", help="Who still uses the old version.")] = False,
    finish_: Annotated[bool, typer.Option("--finish", help="End the old version now.")] = False,
    abort_: Annotated[bool, typer.Option("--abort", help="Make the old version the current one again.")] = False,
    force: Force = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="60s", help="End only when the store lets the new version in."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Give a key its next version, and let the old one retire.

    The new secret goes to every place on this machine that holds the key, or where the flags say; on standard output
    when there is no such place. The id, the name, the tags and the limits stay. For the time of --grace both versions
    are let in.
    """
    session = session_of(ctx)
    if now and grace != _DEFAULT_GRACE:
        raise InvalidRequestError("--now and --grace contradict each other", not_done="Nothing was done")
    delivering = {"--now": now, "--env-file": env_file, "--keyring": keyring, "--show": show, "--wait": wait}
    _refuse_contradictions({"--status": status, "--finish": finish_, "--abort": abort_}, delivering)
    if status:
        show_status(session, ref)
    elif finish_:
        finish_rotation(session, ref, force=force, yes=yes, dry_run=dry_run)
    elif abort_:
        abort_rotation(session, ref, force=force, yes=yes, dry_run=dry_run)
    else:
        seconds = 0 if now else parse_duration(grace, param="grace")
        named = named_places(env_file, var, session.transport.find(ref).id, keyring=keyring)
        _rotate(session, ref, seconds, named, show=show, force=force, yes=yes, wait=wait, dry_run=dry_run)


def _refuse_contradictions(modes: Mapping[str, bool], delivering: Mapping[str, object]) -> None:
    """A mode is one, and delivers nothing: a flag that it would pass over in silence is a mistake."""
    chosen = [flag for flag, given in modes.items() if given]
    useless = [flag for flag, given in delivering.items() if given]
    if len(chosen) > 1 or (chosen and useless):
        raise InvalidRequestError(
            f"{chosen[0]} and {(chosen[1:] + useless)[0]} do not go together",
            not_done="Nothing was done",
            remedy="routic rotate --help",
        )


def _rotate(  # noqa: PLR0913  # the flags that matter here
    session: Session,
    ref: str,
    grace: int,
    named: Sequence[Placement],
    *,
    show: bool,
    force: bool,
    yes: bool,
    wait: str | None,
    dry_run: bool,
) -> None:
    seconds = parse_duration(wait, param="wait") if wait is not None else None
    transport = session.transport if dry_run else session.changing_transport
    plan = plan_rotation(transport.find(ref), grace=grace, now=session.now())
    key = plan.key
    states = [(placed, inspect(placed, key, session.now())) for placed in session.placements(key.id)]
    places = list(named) or [_place(placed) for placed, state in states if state in _RENEWED]
    if not places and states and not show:
        raise _nothing_to_renew(key, states)
    sinks = sinks_at(session, places, key.id, plan.number, force=force, nothing_happened=_NOTHING_HAPPENED)
    renewed = {sink.placement() for sink in sinks}
    left = [placed for placed, _ in states if _place(placed) not in renewed]
    require_unheld(plan, left, session.now(), force=force)
    printing = show or not sinks
    if not dry_run:
        require_output(session, printing=printing, nothing_happened=_NOTHING_HAPPENED)
        sinks += [_stdout(session, plan)] if printing else []
    for sink in sinks:
        sink.preflight()
    transport.require_writable()

    def guard() -> list[str]:
        return require_expendable(sinks, key.id, transport, session.placement_at, force=force)

    for notice in guard():
        session.console.warn(notice)
    if dry_run:
        _tell_plan(session, plan, states, sinks, printing=printing)
        return
    _say_what_happens(session, plan, states, sinks)
    if grace == 0:
        command = f"routic rotate {ref} --now"
        confirm(session, _question(key, session.now()), yes=yes, command=command)
    before = len(notices_of(sinks))
    key = rotate(plan, sinks, session.desk, _old_secret(key, states), guard)
    for notice in notices_of(sinks)[before:]:
        session.console.warn(notice)
    _tell_result(session, key, plan, sinks, printing=printing)
    if seconds is not None:
        wanted = {key.current.sha256: True} | ({plan.key.current.sha256: False} if grace == 0 else {})
        await_verdicts(session, wanted, seconds)


# One that cannot be read right now is among them: its sink will say why, before anything exists.
_RENEWED: Final = frozenset(
    {PlacementState.CURRENT, PlacementState.RETIRING, PlacementState.ENDED, PlacementState.UNREADABLE}
)


def _place(placed: PlacedVersion) -> Placement:
    return Placement(placed.kind, placed.location, placed.variable)


def _nothing_to_renew(key: Key, states: Sequence[tuple[PlacedVersion, PlacementState]]) -> ConflictError:
    said = "; ".join(f"{placed.location} is {state}" for placed, state in states)
    return ConflictError(
        f"No place on this machine holds '{key.name}' any more",
        why=said,
        not_done=_NOTHING_HAPPENED,
        remedy=f"routic rotate {key.name} --env-file PATH, or --show to print it",
    )


def _old_secret(key: Key, states: Sequence[tuple[PlacedVersion, PlacementState]]) -> Secret | None:
    for placed, state in states:
        if state is PlacementState.CURRENT:
            secret = read_secret(placed)
            if secret is not None and secret.fingerprint == key.current.sha256:
                return secret
    return None


def _stdout(session: Session, plan: Plan) -> Sink:
    def expected(secret: Secret) -> Key:
        now = session.desk.now  # which is what the store is told
        version = version_of(secret, number=plan.number, at=now)
        return rotated(plan.key, version, ends_of_rotation(plan.key, now=now, grace=plan.grace))

    announcement = f"Version {plan.number} of {plan.key.name}. It is shown this once; copy it now."
    return stdout_sink(session, expected, announcement)


def _say_what_happens(
    session: Session, plan: Plan, states: Sequence[tuple[PlacedVersion, PlacementState]], sinks: Sequence[Sink]
) -> None:
    console, key = session.console, plan.key
    for notice in notices_of(sinks):
        console.warn(notice)
    for version in plan.ending_at_once:
        console.warn(f"Version {version.number} of {key.name} is still let in; this rotation ends it at once")
    renewed = {sink.placement() for sink in sinks}
    for placed, state in states:
        if _place(placed) in renewed:
            continue
        if state is PlacementState.CURRENT:
            console.warn(f"{place_in_words(_place(placed))} keeps version {key.current.number}: it was not named")
        elif state in {PlacementState.CHANGED, PlacementState.MISSING}:
            what = "holds something else now" if state is PlacementState.CHANGED else "holds the key no longer"
            console.warn(f"{place_in_words(_place(placed))} {what}; it is left as it is")


def _question(key: Key, now: int) -> str:
    used = last_use(key, now)
    return f"End version {key.current.number} of {described(key)} at once? Last used: {used}."


def _tell_result(session: Session, key: Key, plan: Plan, sinks: Sequence[Sink], *, printing: bool) -> None:
    old = next(version for version in key.versions if version.number == plan.key.current.number)
    ends = "has ended" if plan.grace == 0 else f"ends {relative(old.expires_at, session.now())}"
    sentence = f"{described(key)} has version {plan.number}; version {old.number} {ends}"
    tell_delivered(session, key, sinks, sentence, printing=printing)


def _tell_plan(
    session: Session,
    plan: Plan,
    states: Sequence[tuple[PlacedVersion, PlacementState]],
    sinks: Sequence[Sink],
    *,
    printing: bool,
) -> None:
    known = {_place(placed): state for placed, state in states}
    rows = [
        (place.location, place.kind, place.variable, str(known.get(place, "")), "renew")
        for sink in sinks
        if (place := sink.placement()) is not None
    ]
    renewed = {(row[0], row[1], row[2]) for row in rows}
    rows += [
        (place.location, place.kind, place.variable, str(state), "leave")
        for place, state in known.items()
        if (place.location, place.kind, place.variable) not in renewed
    ]
    rows += [("standard output", "stdout", "", "", "print")] if printing else []
    if session.wants_json:
        objects = [dict(zip(_PLAN_FIELDS, row, strict=True)) for row in rows]
        print_json(session.console, list_object(objects), session.fields, known=_PLAN_FIELDS)
        return
    for location, _, variable, holds, would in rows:
        what = f"{location}{f' as {variable}' if variable else ''}{f' ({holds})' if holds else ''}"
        session.console.success(f"would {would}: {what}")
    end = relative(session.now() + plan.grace, session.now())
    ends = "would end at once" if plan.grace == 0 else f"would end {end}"
    session.console.notice(f"Dry run: no version was created; version {plan.key.current.number} {ends}")
