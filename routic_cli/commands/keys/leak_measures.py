"""What is going to be done about leaked keys, decided before anything is: the places, the credential, the versions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from routic_cli.commands.destinations import named_places, sinks_at
from routic_cli.commands.keys.response import Response
from routic_cli.delivery.sink import KEYRING, Placement
from routic_cli.domain.errors import CredentialError, RouticError
from routic_cli.domain.keys import Key, KeyStatus, Scope
from routic_cli.domain.scopes import Credential
from routic_cli.output.incident.wording import place_in_words
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.transport.interface import Transport
from routic_cli.workflows.leak_response import NOW, Measure, Step, still_let_in
from routic_cli.workflows.leaks import LeakedKey
from routic_cli.workflows.placements import PlacementState, inspect, require_expendable
from routic_cli.workflows.rotation import plan_rotation

_NOTHING_HAPPENED: Final = "No version was created"
_RENEWED: Final = frozenset(
    {PlacementState.CURRENT, PlacementState.RETIRING, PlacementState.ENDED, PlacementState.UNREADABLE}
)


def measures_of(
    session: Session, transport: Transport, leaks: Sequence[LeakedKey], response: Response
) -> list[Measure]:
    """One for each key. Whatever keeps a key from being replaced makes a revocation of it, and is remembered."""
    now = session.now()
    measures = [Measure(each, _step(each, response, now)) for each in leaks]
    changing = [each for each in measures if each.step in {Step.REPLACE, Step.END}]
    own = own_credential(session, transport) if any(each.step is not Step.NOTHING for each in measures) else None
    refused = _refusal(transport) if changing else None
    replacing = any(each.step is Step.REPLACE for each in measures)
    forgotten = _forgotten(session) if replacing else None
    without = [each.leaked.key for each in changing if each.step is Step.REPLACE]
    needing = {key.id for key in without if not forgotten and not _places_of(session, key)}
    for measure in changing:
        if (why := refused or _beyond(own, measure.leaked.key)) is not None:
            measure.step, measure.trouble = Step.REVOKE, why
        elif measure.step is Step.REPLACE and forgotten is not None:
            measure.step, measure.trouble = Step.REVOKE, forgotten
        elif measure.step is Step.REPLACE:
            _prepare(
                session, transport, measure, response, shared=len(needing) > 1 and measure.leaked.key.id in needing
            )
    for measure in measures:
        if (
            response.replace
            and measure.step in {Step.END, Step.NOTHING}
            and measure.leaked.key.status is KeyStatus.ACTIVE
            and session.memory_trouble is None
        ):
            _see_who_is_behind(session, measure)
    if own is not None and {each.step for each in measures} <= {Step.REVOKE, Step.NOTHING}:
        own.require_any([Scope.KEYS_REVOKE])  # before anybody is asked; what can be replaced is, with it or without
    return measures


def own_credential(session: Session, transport: Transport) -> Credential | None:
    """What the credential that asks may do, as the store says; None for a local store, which asks for none."""
    if not isinstance(session.config.store_url, RemoteStore):
        return None
    verdict = transport.verify(session.credential.token.fingerprint)
    if verdict.key is None:
        return None
    key, is_retiring = verdict.key, verdict.version != verdict.key.current.number
    return Credential(key.id, key.name, "", key.traits.scopes, is_retiring)


def require_revoking(session: Session, transport: Transport) -> None:
    """InsufficientScopeError before anybody is asked, where the credential may not revoke."""
    own = own_credential(session, transport)
    if own is not None:
        own.require_any([Scope.KEYS_REVOKE])


def _beyond(own: Credential | None, key: Key) -> CredentialError | None:
    """Why the credential may not change this key, by the rule of the server."""
    if own is None:
        return None
    try:
        own.require_not_its_own(key.id)
        own.require_grantable(key.traits.scopes)
    except CredentialError as error:
        return error
    return None


def _step(leaked: LeakedKey, response: Response, now: int) -> Step:
    if not leaked.has_to_end:
        return Step.NOTHING
    key = leaked.key
    if not response.replace or key.status is not KeyStatus.ACTIVE:
        return Step.REVOKE
    alive = still_let_in(key, [each.version.number for each in leaked.found], now)
    return Step.REPLACE if key.current in alive else Step.END


def _refusal(transport: Transport) -> CredentialError | None:
    """Why the credential may make no versions; a store that cannot be reached is an error as it is."""
    try:
        transport.require_writable()
    except CredentialError as error:
        return error
    return None


def _forgotten(session: Session) -> RouticError | None:
    """Why nothing can be delivered, not even to a place that is named: what is begun has to be written down."""
    if session.memory_trouble is None:
        return None
    return RouticError("The places that have it are not known", why=session.memory_trouble.what)


def _prepare(session: Session, transport: Transport, measure: Measure, response: Response, *, shared: bool) -> None:
    """The plan and the places that will take the secret; or it is revoked, and why."""
    key = measure.leaked.key
    try:
        measure.plan = plan_rotation(key, grace=NOW, now=session.now())
        places = _destinations(session, key, response, shared=shared)
        sinks = sinks_at(session, places, key.id, measure.plan.number, force=False, nothing_happened=_NOTHING_HAPPENED)
    except RouticError as error:
        measure.step, measure.trouble = Step.REVOKE, error
        return
    good, skipped = [], []
    for place, sink in zip(sorted(places, key=_order), sinks, strict=True):
        try:
            sink.preflight()
            require_expendable([sink], key.id, transport, session.placement_at, force=False)
            good.append(sink)
        except RouticError as error:
            skipped.append((place_in_words(place), error))
    if good:
        measure.sinks, measure.skipped = good, skipped
        measure.guard = _guard(session, transport, measure)
        return
    measure.step = Step.REVOKE
    measure.trouble = skipped[0][1] if skipped else _nowhere(key, shared=shared)
    measure.skipped = skipped[1:]


def _guard(session: Session, transport: Transport, measure: Measure) -> Callable[[], object]:
    key_id, sinks = measure.leaked.key.id, measure.sinks
    return lambda: require_expendable(sinks, key_id, transport, session.placement_at, force=False)


def _nowhere(key: Key, *, shared: bool) -> RouticError:
    named = "what --env-file names is one place, and several keys need one" if shared else "none was named"
    return RouticError(f"No place on this machine holds '{key.name}', and {named}")


def _destinations(session: Session, key: Key, response: Response, *, shared: bool) -> list[Placement]:
    """The places that have the key, all of which would hold what is dead; and the ones that the flags name.

    A variable of a file is one place: it is not for several keys that have none.
    """
    files = None if shared else response.env_files
    named = named_places(files, response.variable, key.id, keyring=response.keyring)
    places = {_identity(place): place for place in _places_of(session, key)}
    for place in named:
        places.setdefault(_identity(place), place)
    return sorted(places.values(), key=_order)


def _identity(place: Placement) -> tuple[str, str, str]:
    location = place.location if place.kind == KEYRING else os.path.realpath(place.location)
    return place.kind, location, place.variable


def _order(place: Placement) -> tuple[str, str, str]:
    """In which `sinks_at` makes them."""
    return place.kind, place.location, place.variable


def _places_of(session: Session, key: Key) -> list[Placement]:
    return [
        Placement(placed.kind, placed.location, placed.variable)
        for placed in session.placements(key.id)
        if inspect(placed, key, session.now()) in _RENEWED
    ]


def _see_who_is_behind(session: Session, measure: Measure) -> None:
    """Places that hold what ends, or has ended, and are not renewed: of a rotation that left them out."""
    key = measure.leaked.key
    states = [(each, inspect(each, key, session.now())) for each in session.placements(key.id)]
    wanted = {PlacementState.ENDED} | ({PlacementState.RETIRING} if measure.step is Step.END else set())
    behind = [place_in_words(Placement(e.kind, e.location, e.variable)) for e, state in states if state in wanted]
    if measure.step is Step.END:
        error = RouticError("It holds what leaked, which is not the current version")
        measure.skipped = [(place, error) for place in behind]
    else:
        measure.behind = behind
