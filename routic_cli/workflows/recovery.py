"""After a crash: every operation that was left open is finished or undone before anything else changes.

Finished when somebody may have the secret already (it was printed, or one file holds it) and the store knows it;
undone otherwise. Either way no active key is left whose secret nobody was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routic_cli.delivery.sink import Placement, Sink
from routic_cli.domain.errors import KeyNotFoundError, RouticError
from routic_cli.domain.keys import Key, KeyStatus
from routic_cli.store.state import Operation, PlacedVersion
from routic_cli.transport.interface import Transport
from routic_cli.workflows.issue import STDOUT_KIND, Desk


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
        sinks = [sink_of(record) for record in operation.sinks if record["kind"] != STDOUT_KIND]
        printed = len(sinks) < len(operation.sinks)
        held = printed or any(sink.holds(operation.sha256) for sink in sinks)
        if held and _is_registered(operation, desk.transport):
            placements = [placed for sink in sinks if (placed := _finish(sink, operation)) is not None]
            desk.journal.end(operation, [_placed(each, operation, desk) for each in placements])
            return Recovery(operation, "finished")
        desk.transport.give_up(operation.key_id, operation.number)
        for sink in sinks:
            sink.undo()
        desk.journal.end(operation)
        return Recovery(operation, "undone")
    except RouticError as error:
        return Recovery(operation, "failed", error)


def _finish(sink: Sink, operation: Operation) -> Placement | None:
    if sink.holds(operation.sha256):
        sink.undo()  # what was staged is not needed any more
        record = sink.record()
        return Placement(sink.kind, record["path"], record["variable"])
    return sink.commit()


def _is_registered(operation: Operation, transport: Transport) -> bool:
    try:
        key: Key = transport.find(operation.key_id)
    except KeyNotFoundError:
        return False
    return key.status is KeyStatus.ACTIVE and any(
        version.number == operation.number and version.sha256 == operation.sha256 for version in key.versions
    )


def _placed(placement: Placement, operation: Operation, desk: Desk) -> PlacedVersion:
    return PlacedVersion(
        kind=placement.kind,
        location=placement.location,
        variable=placement.variable,
        store=operation.store,
        key_id=operation.key_id,
        number=operation.number,
        sha256=operation.sha256,
        placed_at=desk.now,
    )
