"""After a crash: every operation that was left open is finished or undone before anything else changes.

A delivery is finished when somebody may have the secret already (it was printed, or a file holds it) and the store
knows it, and undone otherwise: no active key is left whose secret nobody was given. A place that cannot be finished
keeps what it has, which is valid until it ends, and is told of; no operation stays open because of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from routic_cli.delivery.placed import read_place
from routic_cli.delivery.sink import STDOUT, Placement, Sink
from routic_cli.domain.errors import KeyNotFoundError, RouticError
from routic_cli.domain.keys import Key, KeyStatus
from routic_cli.domain.operations import Operation
from routic_cli.domain.secret import Secret
from routic_cli.transport.interface import Transport
from routic_cli.workflows.issue import Desk, placed_versions
from routic_cli.workflows.rotation import ABORT, complete_rotation


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of one operation: `finished` or `undone`, and what could not be mended; or an error, and it stays."""

    operation: Operation
    outcome: str
    problems: Sequence[str] = ()
    error: RouticError | None = None


def recover(desk: Desk, sink_of: Callable[[Mapping[str, str]], Sink]) -> list[Recovery]:
    """Tidy up what dead processes left open on this store. `sink_of` makes a sink of its record."""
    results = []
    for operation in desk.journal.open_operations(desk.store_url):
        with desk.journal.abandoned(operation) as ours:
            if ours:
                results.append(_recover_one(operation, desk, sink_of))
    return results


def _recover_one(operation: Operation, desk: Desk, sink_of: Callable[[Mapping[str, str]], Sink]) -> Recovery:
    try:
        sinks = [sink_of(record) for record in operation.sinks if record["kind"] != STDOUT]
        key = _registered(operation, desk.transport)
        printed = len(sinks) < len(operation.sinks)
        held = any(sink.holds(operation.sha256) for sink in sinks)
        if operation.kind == ABORT:
            return _recover_abort(operation, sinks, desk, held=held)
        if key is not None and (printed or held):
            return _finish(operation, key, sinks, desk)
        return _undo(operation, sinks, desk)
    except RouticError as error:
        return Recovery(operation, "failed", error=error)


def _finish(operation: Operation, key: Key, sinks: Sequence[Sink], desk: Desk) -> Recovery:
    problems = _renew(operation, key, sinks)
    if operation.previous is not None and operation.grace is not None:
        complete_rotation(desk, operation.key_id, operation.previous, operation.grace)
    desk.journal.end(operation, placed_versions(operation, _holding(operation, sinks), desk.now))
    return Recovery(operation, "finished", problems)


def _undo(operation: Operation, sinks: Sequence[Sink], desk: Desk) -> Recovery:
    desk.transport.give_up(operation.key_id, operation.number, operation.sha256)
    problems = [problem for sink in sinks if (problem := _tidied(sink))]
    desk.journal.end(operation)
    return Recovery(operation, "undone", problems)


def _recover_abort(operation: Operation, sinks: Sequence[Sink], desk: Desk, *, held: bool) -> Recovery:
    """Go on when one place has the old secret back already; else the old version gets the end that it had."""
    if not _is_active(operation, desk.transport):  # revoked meanwhile: there is nothing left to end
        problems = [problem for sink in sinks if (problem := _tidied(sink))]
        desk.forget_sealed(operation.key_id)
    elif held:
        problems = _renew(operation, desk.transport.find(operation.key_id), sinks)
        if operation.previous is not None and len(_holding(operation, sinks)) == len(sinks):
            desk.transport.end_version(operation.key_id, operation.previous, desk.now)
            desk.forget_sealed(operation.key_id)
    else:
        problems = [problem for sink in sinks if (problem := _tidied(sink))]
        desk.transport.end_version(operation.key_id, operation.number, operation.until)
    desk.journal.end(operation, placed_versions(operation, _holding(operation, sinks), desk.now))
    return Recovery(operation, "finished" if held else "undone", problems)


def _renew(operation: Operation, key: Key, sinks: Sequence[Sink]) -> list[str]:
    """Put the operation's secret into the places that still wait for it; what could not be done, in sentences."""
    secret = next((found for sink in sinks if sink.holds(operation.sha256) and (found := _read(sink))), None)
    problems = []
    for sink in sinks:
        if sink.holds(operation.sha256):
            problem = _tidied(sink)  # what was staged is not needed any more
        elif _was_changed(operation, key, sink):
            problem = f"{_name(sink)} was changed by hand since, and is left as it is"
            _tidied(sink)
        else:
            problem = _put(sink, secret)
        problems += [problem] if problem else []
    return problems


def _put(sink: Sink, secret: Secret | None) -> str | None:
    """Rename what is staged; where it was lost, write the secret again that another place has."""
    try:
        sink.commit()
    except RouticError as error:
        _tidied(sink)
        try:
            if secret is None:
                raise
            sink.prepare(secret)
            sink.commit()
        except RouticError:
            _tidied(sink)
            return f"{_name(sink)} could not be written, and is left as it is: {'. '.join(error.sentences())}"
    return None


def _was_changed(operation: Operation, key: Key, sink: Sink) -> bool:
    """Whether a rotation's place holds neither an older version of the key nor nothing at all."""
    if operation.previous is None:
        return False
    secret = _read(sink)
    if secret is None:
        return False
    sha256 = secret.fingerprint
    held = next((version.number for version in key.versions if version.sha256 == sha256), None)
    if operation.kind == ABORT:
        return held != operation.previous
    return held is None or held > operation.number


def _read(sink: Sink) -> Secret | None:
    place = sink.placement()
    try:
        return read_place(place) if place is not None else None
    except RouticError:
        return None


def _tidied(sink: Sink) -> str | None:
    try:
        sink.undo()
    except RouticError as error:
        return f"What was prepared for {_name(sink)} could not be removed: {'. '.join(error.sentences())}"
    return None


def _holding(operation: Operation, sinks: Sequence[Sink]) -> list[Sink]:
    return [sink for sink in sinks if sink.holds(operation.sha256)]


def _name(sink: Sink) -> str:
    place: Placement | None = sink.placement()
    return place.location if place is not None else sink.kind


def _is_active(operation: Operation, transport: Transport) -> bool:
    try:
        return transport.find(operation.key_id).status is KeyStatus.ACTIVE
    except KeyNotFoundError:
        return False


def _registered(operation: Operation, transport: Transport) -> Key | None:
    try:
        key = transport.find(operation.key_id)
    except KeyNotFoundError:
        return None
    known = any(v.number == operation.number and v.sha256 == operation.sha256 for v in key.versions)
    return key if known and key.status is KeyStatus.ACTIVE else None
