"""What `rotate` does beside rotating: `--status`, `--finish`, `--abort`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from routic_cli.commands.destinations import place_in_words, sinks_at
from routic_cli.commands.options import confirm, described
from routic_cli.delivery.sink import Placement
from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import Key, KeyVersion
from routic_cli.domain.rotation import retiring_versions
from routic_cli.output.amounts import counted
from routic_cli.output.json_out import print_json
from routic_cli.output.panel import print_pairs
from routic_cli.output.times import last_use, relative
from routic_cli.session import Session
from routic_cli.transport.wire import KEY_FIELDS, ROTATION_FIELDS, key_object, rotation_object, version_use_object
from routic_cli.workflows.placements import PlacementState, inspect
from routic_cli.workflows.rotation import abort, finish, plan_abort, require_unused, retiring_version
from routic_cli.workflows.version_use import VersionUse, require_quiet, uses_since_rotation


def show_status(session: Session, ref: str) -> None:
    """How far the rotation of a key has come, and who still holds the old version."""
    session.require_fields(ROTATION_FIELDS)
    key, now = session.transport.find(ref), session.now()
    retiring = retiring_versions(key, now)
    old = retiring[-1] if retiring else None
    holding = [
        placed.location for placed in session.placements(key.id) if inspect(placed, key, now) is PlacementState.RETIRING
    ]
    uses = _uses_of(session, key)
    if session.wants_json:
        used_by = None if uses is None else [version_use_object(*astuple(use)) for use in uses]
        shown = rotation_object(key, old, holding, used_by, now)
        print_json(session.console, shown, session.fields, known=ROTATION_FIELDS)
        return
    new = key.current
    pairs = [("Name", key.name), ("ID", key.id), ("Current", f"version {new.number}  {new.hint}")]
    if old is None:
        pairs.append(("Retiring", "none"))
    else:
        ends = "has no end yet" if old.expires_at is None else f"ends {relative(old.expires_at, now)}"
        pairs.append(("New one used", _calls(key, new, uses, now)))
        pairs.append(("Retiring", f"version {old.number}  {old.hint}  {ends}"))
        pairs.append(("Last used", _calls(key, old, uses, now)))
        pairs += [("Still used by", _caller(use, now)) for use in uses or () if use.version == old.number]
        pairs += [("Still held by", location) for location in holding]
    print_pairs(session.console, pairs)


def _uses_of(session: Session, key: Key) -> list[VersionUse] | None:
    """Who used the key since its rotation; None, which is said, when nobody can tell."""
    if key.usage_since is None:  # no log, or one in trouble, which has been said
        return None
    try:
        return uses_since_rotation(key, session.transport.usage)
    except RouticError as error:
        session.console.warn(". ".join(["Who uses the key is not known", *error.sentences()]))
        return None


def _calls(key: Key, version: KeyVersion, uses: Sequence[VersionUse] | None, now: int) -> str:
    """`3 minutes ago, 12 calls since the rotation`; only the first where the rest is not known."""
    used = last_use(key, now, version)
    if uses is None:
        return used
    calls = sum(use.calls for use in uses if use.version == version.number)
    return f"{used}, {counted(calls, 'call')} since the rotation"


def _caller(use: VersionUse, now: int) -> str:
    who = "all others" if use.address is None else f"{use.address or 'no address'}  {use.agent or 'no agent'}"
    return f"{who}  {counted(use.calls, 'call')}, the last {relative(use.last_at, now)}"


def finish_rotation(session: Session, ref: str, *, force: bool, yes: bool, dry_run: bool) -> None:
    """End the retiring version now."""
    session.require_fields(KEY_FIELDS)
    key = (session.transport if dry_run else session.changing_transport).find(ref)
    old = retiring_version(key, session.now())
    require_unused(key, old, session.placements(key.id), session.now(), force=force)
    if not force:
        require_quiet(key, old, session.transport.usage, session.now())
    if dry_run:
        session.console.success(f"Version {old.number} of {described(key)} could be ended now")
        session.console.notice("Dry run: nothing was changed")
        return
    used = last_use(key, session.now(), old)
    question = f"End version {old.number} of {described(key)} now? Last used: {used}."
    confirm(session, question, yes=yes, command=f"routic rotate {ref} --finish")
    key = finish(key, old, session.desk)
    _tell_changed(session, key, f"Version {old.number} of {described(key)} has ended")


def abort_rotation(session: Session, ref: str, *, force: bool, yes: bool, dry_run: bool) -> None:
    """Make the old version the current one again, and put its secret back."""
    session.require_fields(KEY_FIELDS)
    key = (session.transport if dry_run else session.changing_transport).find(ref)
    back = plan_abort(key, session.placements(key.id), session.state, session.config.keys_url, session.now())
    places = [Placement(placed.kind, placed.location, placed.variable) for placed in back.places]
    sinks = sinks_at(session, places, key.id, back.old.number, force=force, nothing_happened="Nothing was changed")
    for sink in sinks:
        sink.preflight()
    if dry_run:
        for place in places:
            session.console.success(f"would put back: {place_in_words(place)}")
        session.console.notice(f"Dry run: version {key.current.number} stays current")
        return
    question = (
        f"Make version {back.old.number} of {described(key)} current again, and end version {key.current.number} now?"
        f" Last used: {last_use(key, session.now())}."
    )
    confirm(session, question, yes=yes, command=f"routic rotate {ref} --abort")
    ended = key.current.number
    key = abort(key, back, sinks, session.desk)
    for sink in sinks:
        placement = sink.placement()
        if placement is not None:
            session.console.success(f"Put back: {place_in_words(placement)}")
    _tell_changed(
        session, key, f"Version {back.old.number} of {described(key)} is current again; version {ended} has ended"
    )


def _tell_changed(session: Session, key: Key, sentence: str) -> None:
    session.console.success(sentence)
    if session.wants_json:
        print_json(session.console, key_object(key, session.now()), session.fields, known=KEY_FIELDS)
