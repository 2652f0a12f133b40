"""`routic keys revoke --leaked`: what leaked ends, is replaced if that was asked for, and what came of it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from routic_cli.commands.destinations import named_places, notices_of, sinks_at
from routic_cli.commands.keys.response import Response
from routic_cli.commands.options import confirm, described
from routic_cli.commands.waiting import await_verdicts
from routic_cli.delivery.sink import KEYRING, Placement
from routic_cli.domain.errors import CredentialError, PartialFailureError, RouticError
from routic_cli.domain.keys import Key, KeyId, KeyStatus, VerdictStatus, VersionStatus
from routic_cli.domain.lifecycle import version_status
from routic_cli.domain.secret import Fingerprint
from routic_cli.output.amounts import counted
from routic_cli.output.incident import IncidentFormat
from routic_cli.output.incident.incident import Action, Incident
from routic_cli.output.incident.json_form import INCIDENT_FIELDS, incident_object
from routic_cli.output.incident.wording import done_in_words, place_in_words
from routic_cli.output.inert import inert, without_secrets
from routic_cli.output.json_out import print_json
from routic_cli.output.patience import patience
from routic_cli.output.times import last_use
from routic_cli.scanning.reports.report import Report
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.transport.interface import Transport
from routic_cli.workflows.incident import create_command, report_of, troubles
from routic_cli.workflows.leak_audit import audits
from routic_cli.workflows.leak_response import NOW, Measure, Result, Step, as_planned, respond, still_let_in
from routic_cli.workflows.leaks import LeakedKey, LeakedVersion, Triage, reason_for
from routic_cli.workflows.placements import PlacementState, inspect, require_expendable
from routic_cli.workflows.rotation import plan_rotation

_NOTHING_HAPPENED: Final = "No version was created"
_SHOWN: Final = 20
_RENEWED: Final = frozenset(
    {PlacementState.CURRENT, PlacementState.RETIRING, PlacementState.ENDED, PlacementState.UNREADABLE}
)


def revoke_named(
    session: Session, keys: Sequence[Key], errors: Mapping[str, RouticError], response: Response, refs: Sequence[str]
) -> None:
    """What was named has leaked. Names that mean no key are told of at the end, when what leaked is dead."""
    transport = session.transport if response.dry_run else session.changing_transport
    # Found again: what a crash had left open has been finished or undone since.
    leaks = named_leaks([transport.find(key.id) for key in keys], session.now())
    for each in leaks:
        session.console.notice(
            f"{described(each.key)}, {each.key.status}, last used: {last_use(each.key, session.now())}"
        )
    close_incident(
        session, leaks, response, None, None, f"routic keys revoke {' '.join(refs)} --leaked{response.words}"
    )
    if errors:
        raise PartialFailureError(
            f"{len(errors)} of {len(refs)} were not revoked",
            why="; ".join(error.what for error in errors.values()),
            remedy="routic keys list",
        )


def named_leaks(keys: Sequence[Key], now: int) -> list[LeakedKey]:
    """Keys that somebody says have leaked: every secret of them that is let in, as it is not known which."""
    leaks = []
    for key in keys:
        alive = [each for each in key.versions if version_status(key, each, now) is not VersionStatus.ENDED]
        verdict = VerdictStatus.ACTIVE if alive else VerdictStatus.EXPIRED
        found = [LeakedVersion(version, verdict, 0, None, ()) for version in alive or [key.current]]
        leaks.append(LeakedKey(key, found))
    return leaks


def close_incident(
    session: Session,
    leaks: Sequence[LeakedKey],
    response: Response,
    report: Report | None,
    found: Triage | None,
    command: str,
) -> None:
    """All of it. PartialFailureError where something leaked has no replacement that was asked for, or lives on."""
    transport = session.transport if response.dry_run else session.changing_transport
    measures = _measures(session, transport, leaks, response)
    reason = _reason_of(response, report)
    _say_what_happens(session, measures)
    if response.dry_run:
        results = [as_planned(each) for each in measures]
    else:
        if any(each.step is not Step.NOTHING for each in measures):
            confirm(session, _question(measures), yes=response.yes, command=command)
        results = []
        for result in respond(measures, session.desk, reason, _own(session)):
            results.append(result)
            _tell(session, result)
        order = {each.leaked.key.id: number for number, each in enumerate(measures)}
        results.sort(key=lambda each: order[each.measure.leaked.key.id])
    incident = _incident(session, results, reason(leaks) if leaks else None, report, found, response)
    _print(session, incident, response.form)
    _wait(session, results, response)
    _conclude(session, results, is_dry_run=response.dry_run)


def _measures(session: Session, transport: Transport, leaks: Sequence[LeakedKey], response: Response) -> list[Measure]:
    now = session.now()
    measures = [Measure(each, _step(each, response, now)) for each in leaks]
    changing = [each for each in measures if each.step in {Step.REPLACE, Step.END}]
    refused = _refusal(transport) if changing else None
    without = [each.leaked.key for each in changing if each.step is Step.REPLACE]
    needing = {key.id for key in without if not _places_of(session, key)}
    for measure in changing:
        if refused is not None:
            measure.step, measure.trouble = Step.REVOKE, refused
        elif measure.step is Step.REPLACE:
            _prepare(
                session, transport, measure, response, shared=len(needing) > 1 and measure.leaked.key.id in needing
            )
    for measure in measures:
        if response.replace and measure.step in {Step.END, Step.NOTHING} and measure.leaked.key.status is _ACTIVE:
            _see_who_is_behind(session, measure)
    return measures


_ACTIVE: Final = KeyStatus.ACTIVE


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


def _reason_of(response: Response, report: Report | None) -> Callable[[Sequence[LeakedKey]], str | None]:
    def reason(leaks: Sequence[LeakedKey]) -> str | None:
        if response.reason is not None:
            return response.reason
        return "leaked" if report is None else reason_for(report, leaks, lambda text: inert(without_secrets(text)))

    return reason


def _own(session: Session) -> Fingerprint | None:
    if not isinstance(session.config.store_url, RemoteStore):
        return None
    return session.credential.token.fingerprint


def _say_what_happens(session: Session, measures: Sequence[Measure]) -> None:
    for measure in measures[:_SHOWN]:
        for notice in notices_of(measure.sinks):
            session.console.warn(notice)
        if session.wants_json:  # it is all in the object
            continue
        for text in troubles(as_planned(measure)):
            session.console.warn(f"{described(measure.leaked.key)}: {text}")
        if measure.step is Step.REPLACE and measure.plan is not None:
            places = ", ".join(place_in_words(p) for sink in measure.sinks if (p := sink.placement()) is not None)
            session.console.notice(
                f"{described(measure.leaked.key)}: version {measure.plan.number} goes to {places}; version"
                f" {', '.join(map(str, measure.numbers))} ends at once"
            )
            for version in measure.plan.ending_at_once:
                if version.number not in measure.numbers:
                    session.console.warn(f"Version {version.number}, which is retiring, ends with it")
        elif measure.step is Step.END:
            session.console.notice(
                f"{described(measure.leaked.key)} stays: version {', '.join(map(str, measure.numbers))} of it, which is"
                " retiring, ends at once"
            )


def _question(measures: Sequence[Measure]) -> str:
    parts = []
    for step, verb in ((Step.REVOKE, "Revoke"), (Step.REPLACE, "Replace"), (Step.END, "End what leaked of")):
        meant = [each.leaked.key for each in measures if each.step is step]
        if meant:
            parts.append(f"{verb} {described(meant[0]) if len(meant) == 1 else counted(len(meant), 'key')}")
    return f"{'; '.join(parts)}, for good?"


def _tell(session: Session, result: Result) -> None:
    key, console = result.key, session.console
    report = report_of(result, None, (), str, session.now())
    sentence = f"{described(key)}: {done_in_words(report, is_dry_run=False)}"
    if session.wants_json:  # it is all in the object
        return
    if result.action is Action.FAILED:
        console.problem(sentence)
    else:
        console.success(sentence)
    if result.measure.step is not Step.REVOKE and result.trouble is not None:
        console.warn(". ".join(troubles(result)))


def _incident(
    session: Session,
    results: Sequence[Result],
    reason: str | None,
    report: Report | None,
    found: Triage | None,
    response: Response,
) -> Incident:
    now = session.now()
    keys = {each.key.id: each.key for each in results}
    with patience(session.console, "Looking through the usage log"):
        heard = audits(
            [each.measure.leaked for each in results],
            keys,
            lambda: session.transport.usage,
            session.config.policy,
            now,
        )
    findings = {
        key_id: replace(
            audit,
            findings=[
                replace(each, remedy=each.remedy and session.with_its_flags(each.remedy)) for each in audit.findings
            ],
        )
        for key_id, audit in heard.items()
    }
    return Incident(
        at=now,
        by=session.actor,
        store=str(session.config.keys_url),
        reason=reason,
        keys=[
            report_of(
                each,
                findings.get(each.key.id),
                _known(session, each.key.id),
                session.with_its_flags,
                now,
                is_done=not response.dry_run,
            )
            for each in results
        ],
        formats=report.formats if report is not None else (),
        not_ours=found.not_ours if found is not None else 0,
        unreadable=report.unreadable if report is not None else 0,
        is_dry_run=response.dry_run,
    )


def _known(session: Session, key_id: KeyId) -> list[Placement]:
    return [Placement(each.kind, each.location, each.variable) for each in session.placements(key_id)]


def _print(session: Session, incident: Incident, form: IncidentFormat | None) -> None:
    if session.wants_json:
        print_json(session.console, incident_object(incident), session.fields, known=INCIDENT_FIELDS)
    elif form is IncidentFormat.MARKDOWN:
        from routic_cli.output.incident.markdown import incident_markdown

        session.console.data(incident_markdown(incident))
    else:
        from routic_cli.output.incident.text import incident_text

        session.console.data(incident_text(incident))
    for each in incident.keys:
        if each.audit is not None and each.audit.trouble:
            session.console.notice(f"Who called with what leaked is not known: {each.audit.trouble}")
            break


def _wait(session: Session, results: Sequence[Result], response: Response) -> None:
    if response.wait is None or response.dry_run:
        return
    wanted = {
        version.sha256: False
        for each in results
        for version in each.key.versions
        if version.number in each.measure.numbers and each.action is not Action.FAILED
    }
    wanted |= {new.sha256: True for each in results if (new := each.replacement) is not None}
    await_verdicts(session, wanted, response.wait)


def _conclude(session: Session, results: Sequence[Result], *, is_dry_run: bool) -> None:
    failed = [each for each in results if each.action is Action.FAILED]
    if failed and len(failed) == len(results) and failed[0].trouble is not None:
        error = failed[0].trouble
        error.not_done = "What leaked is still let in"
        raise error
    if failed:
        raise PartialFailureError(
            f"{_named(failed)}: what leaked is still let in",
            why=". ".join(dict.fromkeys(text for each in failed for text in troubles(each))),
            remedy=session.with_its_flags(f"routic keys revoke {' '.join(each.key.id for each in failed)} --yes"),
        )
    lacking = [each for each in results if troubles(each)]
    for each in lacking[1:] if not session.wants_json else ():
        session.console.problem(f"{described(each.key)}: {'. '.join(troubles(each))}")
        session.console.remedy(session.with_its_flags(_remedy(session, each)))
    if lacking:
        first, verb = lacking[0], "has" if len(lacking) == 1 else "have"
        raise PartialFailureError(
            f"{_named(lacking)} {'would have' if is_dry_run else verb} no replacement, or not everywhere",
            why=". ".join(troubles(first)),
            not_done="Dry run: nothing was changed" if is_dry_run else "What leaked is dead all the same",
            remedy=session.with_its_flags(_remedy(session, first)),
        )


def _remedy(session: Session, result: Result) -> str:
    if result.action is Action.REVOKED:
        return create_command(result.key, _known(session, result.key.id), session.now())
    return f"routic rotate {result.key.name}"


def _named(results: Sequence[Result]) -> str:
    return described(results[0].key) if len(results) == 1 else counted(len(results), "key")
