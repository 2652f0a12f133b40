"""`routic keys revoke --leaked`: what leaked ends, is replaced if that was asked for, and what came of it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from routic_cli.commands.keys.leak_measures import measures_of
from routic_cli.commands.keys.leak_telling import conclude, known_places, question, say_what_happens, tell
from routic_cli.commands.keys.response import Response
from routic_cli.commands.options import confirm, described
from routic_cli.commands.waiting import await_verdicts
from routic_cli.domain.errors import PartialFailureError, RouticError
from routic_cli.domain.keys import Key, VerdictStatus, VersionStatus
from routic_cli.domain.lifecycle import version_status
from routic_cli.domain.rules import checked_reason
from routic_cli.domain.secret import Fingerprint
from routic_cli.output.incident import IncidentFormat
from routic_cli.output.incident.incident import Action, Incident
from routic_cli.output.incident.json_form import INCIDENT_FIELDS, incident_object
from routic_cli.output.inert import inert, without_secrets
from routic_cli.output.json_out import print_json
from routic_cli.output.patience import patience
from routic_cli.output.times import last_use
from routic_cli.scanning.reports.report import Report
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.workflows.incident import report_of
from routic_cli.workflows.leak_audit import audits
from routic_cli.workflows.leak_response import Result, Step, as_planned, respond
from routic_cli.workflows.leaks import LeakedKey, LeakedVersion, Triage, reason_for


def revoke_named(
    session: Session, keys: Sequence[Key], errors: Mapping[str, RouticError], response: Response, refs: Sequence[str]
) -> None:
    """What was named has leaked. Names that mean no key are told of at the end, when what leaked is dead."""
    transport = session.transport if response.dry_run else session.revoking_transport
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
    """All of it. PartialFailureError where a replacement is missing that was asked for; another where it lives on."""
    checked_reason(response.reason)  # a wrong one that was typed is told before anything ends
    transport = session.transport if response.dry_run else session.revoking_transport
    measures = measures_of(session, transport, leaks, response)
    reason = _reason_of(response, report)
    say_what_happens(session, measures)
    if response.dry_run:
        results = [as_planned(each) for each in measures]
    else:
        if any(each.step is not Step.NOTHING for each in measures):
            confirm(session, question(measures), yes=response.yes, command=command)
        results = []
        for result in respond(measures, session.revoking_desk, reason, _own(session)):
            results.append(result)
            tell(session, result)
        order = {each.leaked.key.id: number for number, each in enumerate(measures)}
        results.sort(key=lambda each: order[each.measure.leaked.key.id])
    incident = _incident(session, results, reason(leaks) if leaks else None, report, found, response)
    _print(session, incident, response.form)
    _wait(session, results, response)
    conclude(session, results, is_dry_run=response.dry_run)


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
                known_places(session, each.key.id),
                session.with_its_flags,
                now,
                is_done=not response.dry_run,
            )
            for each in results
        ],
        formats=report.formats if report is not None else (),
        not_ours=found.not_ours if found is not None else 0,
        kept_back=found.kept_back if found is not None else 0,
        of_another_account=found.elsewhere if found is not None else 0,
        unreadable=report.unreadable if report is not None else 0,
        is_dry_run=response.dry_run,
    )


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
