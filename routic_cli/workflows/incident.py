"""From what was done about a leak to what is told of it: one report for each key, with what is left to do."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from routic_cli.delivery.sink import DEFAULT_VARIABLE, ENV_FILE, KEYRING, Placement
from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import DEFAULT_SCOPES, Key, KeyStatus, UnixSeconds
from routic_cli.domain.lifecycle import ended_at
from routic_cli.output.incident.incident import Action, FoundVersion, KeyAudit, LeakedKeyReport, ToDo
from routic_cli.output.incident.wording import place_in_words
from routic_cli.output.times import absolute
from routic_cli.workflows.leak_response import Result

_SENTENCES: Final = 2


def report_of(
    result: Result,
    audit: KeyAudit | None,
    known: Sequence[Placement],
    here: Callable[[str], str],
    now: UnixSeconds,
    *,
    is_done: bool = True,
) -> LeakedKeyReport:
    """What is told of one key. `known` are the places that have it, `here` makes a command one of this store.

    Nothing is left to do where it `is_done` only in thought.
    """
    found = [
        FoundVersion(each.version, each.is_let_in, each.count, each.at, each.places)
        for each in result.measure.leaked.found
    ]
    new = result.replacement
    to_do = [ToDo(each.text, here(each.command)) for each in _to_do(result, audit, known, now)] if is_done else []
    return LeakedKeyReport(
        key=result.key,
        found=found,
        action=result.action,
        changed=result.changed,
        ended_at=_ended_at(result, now),
        replacement=new,
        places=_places(result) if result.action is Action.REPLACED else (),
        trouble=". ".join(troubles(result)),
        audit=audit,
        to_do=to_do,
    )


def troubles(result: Result) -> list[str]:
    """Why it was not replaced, or not everywhere; nothing where all was done that was asked for."""
    said = [_sentence(result.trouble)] if result.trouble is not None else []
    return said + [f"{place} was left as it is: {_sentence(error)}" for place, error in result.measure.skipped]


def create_command(key: Key, places: Sequence[Placement], now: UnixSeconds) -> str:
    """What makes a key with the same traits, in the first of the places."""
    traits = key.traits
    words = ["routic", "keys", "create", "--name", traits.name]
    for name, value in traits.tags.items():
        words += ["--tag", f"{name}={value}"]
    if traits.rpm is not None:
        words += ["--rpm", str(traits.rpm)]
    for scope in traits.scopes if traits.scopes != DEFAULT_SCOPES else ():
        words += ["--scope", scope.value]
    if traits.expires_at is not None and traits.expires_at > now:
        words += ["--expires", absolute(traits.expires_at)]
    for place in places[:1]:
        words += ["--keyring"] if place.kind == KEYRING else ["--env-file", place.location]
        words += ["--var", place.variable] if place.kind == ENV_FILE and place.variable != DEFAULT_VARIABLE else []
    return shlex.join(words)


def _sentence(error: RouticError) -> str:
    return ": ".join(part.rstrip(".") for part in (error.what, error.why) if part)


def _places(result: Result) -> list[Placement]:
    return [place for sink in result.measure.sinks if (place := sink.placement()) is not None]


def _ended_at(result: Result, now: UnixSeconds) -> UnixSeconds | None:
    """When the last of what leaked ended; None while any of it is let in."""
    key, numbers = result.key, result.measure.numbers
    whole = ended_at(key) if key.status is not KeyStatus.ACTIVE else None
    ends = [
        min((at for at in (each.expires_at, whole) if at is not None), default=None)
        for each in key.versions
        if each.number in numbers
    ]
    passed = [at for at in ends if at is not None and at <= now]
    return max(passed) if passed and len(passed) == len(ends) else None


def _to_do(result: Result, audit: KeyAudit | None, known: Sequence[Placement], now: UnixSeconds) -> Iterator[ToDo]:
    key, action = result.key, result.action
    if action is Action.FAILED:
        yield ToDo("End it: what leaked may still be let in", f"routic keys revoke {key.id} --yes")
        return
    if action is Action.REVOKED and key.status is not KeyStatus.EXPIRED:
        where = _places(result) or list(known)
        yield ToDo("If a service needs the key, make another one", create_command(key, where, now))
    if action is Action.REPLACED and result.replacement is not None:
        files = ", ".join(place_in_words(place) for place in _places(result))
        yield ToDo(f"Restart what reads its key from {files}: until then it is refused")
        yield ToDo(
            "Give the new version to services on other machines, which are refused too",
            f"routic export {shlex.quote(key.name)} --show",
        )
    stale = list(result.measure.behind) + [place for place, _ in result.measure.skipped]
    if stale and action in {Action.REPLACED, Action.VERSION_ENDED, Action.NONE} and key.status is KeyStatus.ACTIVE:
        places = ", ".join(dict.fromkeys(stale))
        yield ToDo(
            f"Renew what holds a version that has ended: {places}", f"routic rotate {shlex.quote(key.name)} --grace 24h"
        )
    yield from _looking(result, audit)


def _looking(result: Result, audit: KeyAudit | None) -> Iterator[ToDo]:
    if audit is None:
        return
    key_id, since = result.key.id, absolute(audit.since)
    if audit.trouble:
        yield ToDo(
            "Check the usage log, with a credential that may read it",
            f"routic usage audit --key {key_id} --since {since}",
        )
    elif not audit.was_made:
        yield ToDo("Read the gateway's own log in, and look again", "routic usage import FILE")
    elif audit.callers:
        yield ToDo("Are these addresses yours? Look at the calls", f"routic usage log --key {key_id} --since {since}")
    if result.action is not Action.NONE:
        yield ToDo(
            "Tomorrow, see who still calls with what leaked",
            f"routic usage audit --key {key_id} --rule use-after-revoke --since 24h",
        )
