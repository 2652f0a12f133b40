"""`routic keys revoke --from`: the keys that a report of a scanner tells of, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from routic_cli.commands.keys.leak_measures import require_revoking
from routic_cli.commands.keys.response import Response
from routic_cli.commands.missing_store import missing_store
from routic_cli.commands.options import confirm, described
from routic_cli.commands.waiting import await_verdicts
from routic_cli.domain.errors import ConfirmationNeededError, PartialFailureError, RouticError
from routic_cli.domain.keys import KeyStatus, Revocation, UnixSeconds
from routic_cli.output.amounts import counted
from routic_cli.output.inert import inert, without_secrets
from routic_cli.output.json_out import print_json
from routic_cli.output.progress import progress
from routic_cli.output.times import last_use, relative
from routic_cli.scanning.reports.entry import Where
from routic_cli.scanning.reports.errors import NOTHING_REVOKED
from routic_cli.scanning.reports.reader import STDIN, opened, read_report
from routic_cli.scanning.reports.report import Report
from routic_cli.session import Session
from routic_cli.store_url import RemoteStore
from routic_cli.transport.interface import Transport
from routic_cli.transport.wire import KEY_FIELDS, JsonObject, list_object, revocation_object
from routic_cli.workflows.leaks import LeakedKey, LeakedVersion, Triage, fingerprints, triage

FIELDS: Final = (*KEY_FIELDS, "changed", "found")
_SHOWN: Final = 20
# Of a request to a server, which takes 16 MiB and answers with less than 64.
_BATCH: Final = 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    source: str
    reason: str | None
    leaked: bool
    yes: bool
    dry_run: bool
    wait: int | None


def revoke_from(session: Session, asked: Asked, response: Response) -> None:
    """Revoke what the report tells of. PartialFailureError when a part of the report could not be read."""
    if not asked.leaked:
        session.require_fields(FIELDS)
    _require_somebody_to_ask(session, asked, response)
    report = _read(session, asked.source)
    _require_a_store(session, report)
    is_remote = isinstance(session.config.store_url, RemoteStore)
    transport = session.transport if asked.dry_run else session.revoking_transport
    with progress(session.console, "Looking up", len(report.leaks)) as bar:
        found = triage(transport, report, is_remote=is_remote, told=bar.advance)
    _show(session, found)
    if asked.leaked:
        from routic_cli.commands.keys.leaked import close_incident

        _tell_rest(session, found, report)
        try:
            close_incident(session, found.keys, response, report, found, f"{_command(asked)}{response.words}")
        except RouticError:
            if report.unreadable and not session.wants_json:
                session.console.warn(f"{counted(report.unreadable, 'finding')} of the report could not be read")
            raise
        _conclude(report, found)
        return
    ending = found.to_revoke
    if asked.dry_run or not ending:
        results = [Revocation(each.key.id, each.key, changed=False) for each in ending]
    else:
        require_revoking(session, transport)
        confirm(session, f"Revoke {_named(ending)} for good?", yes=asked.yes, command=_command(asked))
        results = _revoke(session, transport, ending, asked.reason)
        if asked.wait is not None:
            await_verdicts(session, {v.sha256: False for each in ending for v in each.key.versions}, asked.wait)
    _print(session, results, found, report)
    _tell(session, results, found, report, dry_run=asked.dry_run)
    _conclude(report, found)


def _require_somebody_to_ask(session: Session, asked: Asked, response: Response) -> None:
    """Before anything is read: whether a pipeline stops must not depend on what its scanner finds."""
    if not (asked.yes or asked.dry_run or session.console.can_ask):
        raise ConfirmationNeededError(
            "This needs a confirmation",
            why="Nobody can be asked: standard input and error are not a terminal",
            not_done=NOTHING_REVOKED,
            remedy=f"{_command(asked)}{response.words} --yes",
        )


def _require_a_store(session: Session, report: Report) -> None:
    """RouticError where nobody can be asked whose the secrets are: every one of them would count as not ours."""
    missing = missing_store(session) if report.leaks else None
    if missing is not None:
        raise RouticError(
            f"There is no store at {missing}",
            why="Nobody could be asked whose the secrets of the report are",
            not_done=NOTHING_REVOKED,
            remedy="routic keys revoke --from FILE --store URL",
        )


def _command(asked: Asked) -> str:
    source = asked.source if asked.source.isprintable() and " " not in asked.source else "FILE"
    return f"routic keys revoke --from {source}{' --leaked' if asked.leaked else ''}"


def _read(session: Session, source: str) -> Report:
    if source == STDIN and session.console.stdin_is_terminal:
        session.console.notice("Reading the report from this terminal; it ends with Ctrl-D on a line of its own")
    with opened(source) as (blocks, folders), progress(session.console, "Reading", None) as bar:

        def watched() -> Iterator[bytes]:
            for block in blocks:
                bar.advance(len(block))
                yield block

        return read_report(watched(), folders)


def _revoke(
    session: Session, transport: Transport, ending: Sequence[LeakedKey], reason: str | None
) -> list[Revocation]:
    """All of them in one transaction; of more than 20,000, as many at once."""
    targets = fingerprints(ending)
    results: list[Revocation] = []
    for start in range(0, len(targets), _BATCH):
        try:
            results += transport.revoke(targets[start : start + _BATCH], reason)
        except RouticError as error:
            if results:
                error.not_done = f"{len(results):,} keys were revoked before it; the same command again does the rest"
            raise
    for each in ending:
        session.revoking_desk.forget_sealed(each.key.id)
    return results


def _show(session: Session, found: Triage) -> None:
    """Every key that was found, as far as a screen is long."""
    now = session.now()
    for each in found.keys[:_SHOWN]:
        session.console.notice(_line(each, now))
    if len(found.keys) > _SHOWN:
        session.console.notice(f"{len(found.keys) - _SHOWN:,} more keys; --dry-run --json lists them all")


def _line(leaked: LeakedKey, now: UnixSeconds) -> str:
    key, told = leaked.key, _told(leaked.found)
    if key.status is KeyStatus.REVOKED:
        return f"{described(key)} was revoked {relative(key.revoked_at, now)}; found in {told}"
    if not leaked.has_to_end:
        return f"{described(key)} stays: {_ended(leaked.found, now)}; found in {told}"
    return f"{described(key)}, {key.status}, last used: {last_use(key, now)}; found in {told}"


def _ended(found: Sequence[LeakedVersion], now: UnixSeconds) -> str:
    ends = [f"version {each.version.number} of it ended {relative(each.version.expires_at, now)}" for each in found]
    return ", ".join(ends)


def _told(found: Sequence[LeakedVersion]) -> str:
    """`config.py:4`, with how many other times it was found."""
    others = sum(each.count for each in found) - 1
    return inert(str(found[0].places[0])) + (f" and {counted(others, 'other place')}" if others else "")


def _named(ending: Sequence[LeakedKey]) -> str:
    return described(ending[0].key) if len(ending) == 1 else counted(len(ending), "key")


def _print(session: Session, results: Sequence[Revocation], found: Triage, report: Report) -> None:
    """A list object with every key of ours that the report tells of; what is not ours is a number beside it."""
    if not session.wants_json:
        return
    now = session.now()
    ended = {result.key.id: result for result in results if result.key is not None}
    objects = [
        revocation_object(ended.get(each.key.id, Revocation(each.key.id, each.key, changed=False)), now)
        | {"found": [_version_object(version) for version in each.found]}
        for each in found.keys
    ]
    counts = {
        "not_ours": found.not_ours,
        "kept_back": found.kept_back,
        "of_another_account": found.elsewhere,
        "unreadable": report.unreadable,
        "formats": report.formats,
    }
    print_json(session.console, list_object(objects) | counts, session.fields, known=FIELDS)


def _version_object(found: LeakedVersion) -> JsonObject:
    places = [
        {"file": place.file and without_secrets(place.file), "line": place.line, "commit": _commit(place)}
        for place in found.places
    ]
    return {
        "version": found.version.number,
        "was_let_in": found.is_let_in,
        "count": found.count,
        "at": found.at,
        "places": places,
    }


def _commit(place: Where) -> str | None:
    return place.commit and without_secrets(place.commit)


def _tell(session: Session, results: Sequence[Revocation], found: Triage, report: Report, *, dry_run: bool) -> None:
    console = session.console
    if not report.entries:
        console.success("The report has no findings: there is nothing to revoke")
        return
    changed = sum(result.changed for result in results)
    said = [f"{counted(changed, 'key')} revoked" if changed else NOTHING_REVOKED]
    if dry_run:
        said = [f"Dry run: {counted(len(results), 'key')} would be revoked"]
    if before := sum(each.key.status is KeyStatus.REVOKED for each in found.keys):
        said.append(f"{before:,} had been before")
    if found.not_ours:
        are = "is" if found.not_ours == 1 else "are"
        said.append(f"{counted(found.not_ours, 'secret')} in the report {are} not ours")
    console.success(", ".join(said))
    _tell_kept_back(session, found)


def _tell_rest(session: Session, found: Triage, report: Report) -> None:
    """What the report has besides keys of ours."""
    if not found.keys:
        none = "The report has no findings" if not report.entries else "The report tells of no key of ours"
        session.console.success(f"{none}: there is nothing to revoke")
    if found.not_ours:
        are = "is" if found.not_ours == 1 else "are"
        session.console.notice(f"{counted(found.not_ours, 'secret')} in the report {are} not ours")
    _tell_kept_back(session, found)


def _tell_kept_back(session: Session, found: Triage) -> None:
    if found.kept_back:
        session.console.notice(
            f"The server was not asked about {found.kept_back:,} more: they could be guessed from their hashes"
        )
    if found.elsewhere:
        session.console.notice(f"{found.elsewhere:,} more: of another account of this store")


def _conclude(report: Report, found: Triage) -> None:
    """PartialFailureError where keys may live on that the report tells of."""
    remedy = report.in_clear
    if report.unreadable:
        what = f"{counted(report.unreadable, 'finding')} of the report could not be read"
        where, why = report.troubles[0]
        # Never at the beginning of a line: a CI runner obeys lines that begin with `::`.
        why = f"At {inert(str(where))}: {why}"
    elif found.cut:
        what = f"{counted(found.cut, 'secret')} of the report may be keys of ours without their end"
        why = "They begin as our keys do, and are shorter; a rule of the scanner that is too short cuts them"
    elif found.elsewhere:
        _raise_elsewhere(found.elsewhere)
    elif found.kept_back:
        what = f"The server was not asked about {counted(found.kept_back, 'secret')} of the report"
        why = "They could be guessed from their hashes, which therefore do not leave this machine"
        remedy = "routic keys revoke --from FILE, on the machine that has the store"
    else:
        return
    raise PartialFailureError(what, why=why, not_done="Whether those are keys of ours is not known", remedy=remedy)


def _raise_elsewhere(count: int) -> NoReturn:
    raise PartialFailureError(
        f"{counted(count, 'secret')} of the report: of another account of this store",
        not_done="What another account has was not revoked",
        remedy="ROUTIC_ACCOUNT=ACCOUNT routic keys revoke --from FILE",
    )
