"""After a crash: every operation that was left open is finished or undone before anything else changes.

Finished when somebody may have the secret already (it was printed, or one file holds it) and the store knows it;
undone otherwise. Either way no active key is left whose secret nobody was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from routic_cli.delivery.sink import STDOUT, Sink
from routic_cli.domain.errors import DeliveryError, KeyNotFoundError, RouticError
from routic_cli.domain.keys import Key, KeyStatus
from routic_cli.domain.operations import Operation
from routic_cli.transport.interface import Transport
from routic_cli.workflows.issue import Desk, placed_versions
from routic_cli.workflows.rotation import ABORT, complete_rotation


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of one operation: `finished`, `undone`, or an error that leaves it open."""

    operation: Operation
    outcome: str
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
        if operation.kind == ABORT:
            return _recover_abort(operation, sinks, desk)
        printed = len(sinks) < len(operation.sinks)
        held = printed or any(sink.holds(operation.sha256) for sink in sinks)
        if held and _is_registered(operation, desk.transport):
            for sink in sinks:
                _finish(sink, operation)
            if operation.previous is not None and operation.grace is not None:
                complete_rotation(desk, operation.key_id, operation.number, operation.previous, operation.grace)
            desk.journal.end(operation, placed_versions(operation, sinks, desk.now))
            return Recovery(operation, "finished")
        desk.transport.give_up(operation.key_id, operation.number, operation.sha256)
        for sink in sinks:
            sink.undo()
        desk.journal.end(operation)
        return Recovery(operation, "undone")
    except RouticError as error:
        return Recovery(operation, "failed", error)


def _recover_abort(operation: Operation, sinks: Sequence[Sink], desk: Desk) -> Recovery:
    """Both versions are let in. What was staged is put in place; the new version ends once every place is back."""
    complete = True
    for sink in sinks:
        try:
            _finish(sink, operation)
        except DeliveryError:  # it was never staged: the place still holds the new version
            sink.undo()
            complete = False
    if complete and operation.previous is not None:
        desk.transport.end_version(operation.key_id, operation.previous, desk.now)
    desk.journal.end(operation, placed_versions(operation, sinks, desk.now) if complete else ())
    return Recovery(operation, "finished" if complete else "undone")


def _finish(sink: Sink, operation: Operation) -> None:
    if sink.holds(operation.sha256):
        sink.undo()  # what was staged is not needed any more
    else:
        sink.commit()


def _is_registered(operation: Operation, transport: Transport) -> bool:
    try:
        key: Key = transport.find(operation.key_id)
    except KeyNotFoundError:
        return False
    return key.status is KeyStatus.ACTIVE and any(
        version.number == operation.number and version.sha256 == operation.sha256 for version in key.versions
    )
