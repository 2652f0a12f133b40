"""After a leak: every leaked secret dies, and a key that is in use here has its next version before that.

A leak is worse than an outage. Whatever keeps a key from being replaced, what leaked ends all the same: by revoking the
key, where no other version of it is let in. Every step can be repeated; a secret that is dead already is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from routic_cli.delivery.sink import Sink
from routic_cli.domain.errors import CredentialError, InterruptedByUserError, InvalidRequestError, RouticError
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyVersion, Revocation, VersionStatus
from routic_cli.domain.lifecycle import version_status
from routic_cli.domain.secret import Fingerprint
from routic_cli.output.incident.incident import Action
from routic_cli.workflows.issue import Desk
from routic_cli.workflows.leaks import LeakedKey
from routic_cli.workflows.rotation import Plan, rotate

NOW: Final = 0
"""The grace of what leaked."""
# Of a request to a server, which takes 16 MiB and answers with less than 64.
_BATCH: Final = 20_000

Reason = Callable[[Sequence[LeakedKey]], str | None]


class Step(Enum):
    """What is going to be done about a leaked key."""

    NOTHING = auto()
    REVOKE = auto()
    END = auto()
    REPLACE = auto()


@dataclass(slots=True)
class Measure:
    """What is going to be done about one key, known before anything is.

    `trouble` is why it gets no replacement although one was asked for. `skipped` are places that have the key and
    cannot be written, each with the reason: the replacement does without them. `behind` are places that hold a version
    which has ended before.
    """

    leaked: LeakedKey
    step: Step
    plan: Plan | None = None
    sinks: Sequence[Sink] = ()
    guard: Callable[[], object] = lambda: None
    trouble: RouticError | None = None
    skipped: Sequence[tuple[str, RouticError]] = field(default_factory=list)
    behind: Sequence[str] = ()

    @property
    def numbers(self) -> list[int]:
        """The versions that leaked."""
        return [each.version.number for each in self.leaked.found]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a measure. `trouble` is why there is no replacement, or why what leaked is still let in."""

    measure: Measure
    key: Key
    action: Action
    changed: bool
    trouble: RouticError | None = None

    @property
    def replacement(self) -> KeyVersion | None:
        """The version that took the place of what leaked."""
        if self.action is not Action.REPLACED or not self.changed:
            return None
        return self.key.current


def still_let_in(key: Key, numbers: Collection[int], now: int) -> list[KeyVersion]:
    """Those of the versions that somebody who has them can use."""
    return [each for each in key.versions if each.number in numbers and version_status(key, each, now) is not _ENDED]


_ENDED: Final = VersionStatus.ENDED


def respond(
    measures: Sequence[Measure], desk: Desk, reason: Reason, own: Fingerprint | None = None
) -> Iterator[Result]:
    """Carry the measures out: what is revoked anyhow first, in one transaction.

    `own` is the credential that asks. A key that it belongs to comes last: nothing can be asked with it after that.
    """
    theirs = [each for each in measures if not _is_of(each, own)]
    for group in (theirs, [each for each in measures if _is_of(each, own)]):
        yield from _revoked([each for each in group if each.step is Step.REVOKE], desk, reason)
        for measure in group:
            if measure.step is Step.REPLACE:
                yield _replaced(measure, desk, reason)
            elif measure.step is Step.END:
                yield _ended(measure, desk, reason, None)
            elif measure.step is Step.NOTHING:
                yield Result(measure, measure.leaked.key, Action.NONE, changed=False)


def _is_of(measure: Measure, own: Fingerprint | None) -> bool:
    return any(each.sha256 == own for each in measure.leaked.key.versions)


def _revoked(measures: Sequence[Measure], desk: Desk, reason: Reason) -> Iterator[Result]:
    said = reason([each.leaked for each in measures])
    for start in range(0, len(measures), _BATCH):
        batch = measures[start : start + _BATCH]
        try:
            results = _revoke(desk, [each.leaked.key.id for each in batch], said)
        except RouticError as error:
            for measure in measures[start:]:
                yield Result(measure, measure.leaked.key, Action.FAILED, changed=False, trouble=error)
            return
        for measure, result in zip(batch, results, strict=True):
            desk.forget_sealed(measure.leaked.key.id)
            yield Result(measure, result.key or measure.leaked.key, Action.REVOKED, result.changed, measure.trouble)


def _revoke(desk: Desk, key_ids: Sequence[KeyId], said: str | None) -> list[Revocation]:
    """They end, with the reason if the store takes it: a file's name, or a stricter server, must not prevent it."""
    try:
        return desk.transport.revoke(key_ids, said)
    except InvalidRequestError as error:
        if said is None or error.param != "reason":
            raise
        desk.warn(f"The reason was not kept. {'. '.join(error.sentences())}")
        return desk.transport.revoke(key_ids, None)


def _replaced(measure: Measure, desk: Desk, reason: Reason) -> Result:
    """The next version where the key is used, and the end of what leaked; the end in any case."""
    if measure.plan is None:
        raise AssertionError("a replacement has a plan")
    try:
        # The old secret is not kept for an abort: what leaked is never put back.
        key = rotate(measure.plan, measure.sinks, desk, None, measure.guard)
        for version in still_let_in(key, measure.numbers, desk.now):  # one that a rotation had put back, or prolonged
            key = desk.transport.end_version(key.id, version.number, desk.now)
    except InterruptedByUserError as error:
        error.not_done = f"{error.not_done}. What leaked of '{measure.leaked.key.name}' is still let in".lstrip(". ")
        error.remedy = error.remedy or "the same command again"
        raise
    except RouticError as error:
        return _ended(measure, desk, reason, error)
    return Result(measure, key, Action.REPLACED, changed=True)


def _ended(measure: Measure, desk: Desk, reason: Reason, trouble: RouticError | None) -> Result:
    """What leaked ends: the versions alone where another is current by now, else the key."""
    key = measure.leaked.key
    try:
        key = desk.transport.find(key.id)
        alive = still_let_in(key, measure.numbers, desk.now)
        if not alive and key.status is not KeyStatus.EXPIRED:  # another routic was faster
            return Result(
                measure, key, Action.NONE, changed=False, trouble=None if _is_renewed(measure, key) else trouble
            )
        if key.current not in alive:
            try:
                return _versions_ended(measure, key, alive, desk, trouble)
            except CredentialError as error:  # it may not change a key, and may revoke it
                trouble = trouble or error
        said = reason([measure.leaked])
        [result] = _revoke(desk, [key.id], said)
        desk.forget_sealed(key.id)
        return Result(measure, result.key or key, Action.REVOKED, result.changed, trouble)
    except RouticError as error:
        return Result(measure, key, Action.FAILED, changed=False, trouble=error)


def _versions_ended(
    measure: Measure, key: Key, alive: Sequence[KeyVersion], desk: Desk, trouble: RouticError | None
) -> Result:
    for version in alive:
        key = desk.transport.end_version(key.id, version.number, desk.now)
    desk.forget_sealed(key.id)
    if trouble is not None and _is_renewed(measure, key):
        # It was delivered, and then the store could not be asked for a moment.
        return Result(measure, key, Action.REPLACED, changed=True)
    return Result(measure, key, Action.VERSION_ENDED, changed=True, trouble=trouble)


def _is_renewed(measure: Measure, key: Key) -> bool:
    """Whether every place that was to have the next version has the current one."""
    try:
        return bool(measure.sinks) and all(sink.holds(key.current.sha256) for sink in measure.sinks)
    except RouticError:
        return False


def as_planned(measure: Measure) -> Result:
    """What would come of it, for a dry run."""
    action = {
        Step.NOTHING: Action.NONE,
        Step.REVOKE: Action.REVOKED,
        Step.END: Action.VERSION_ENDED,
        Step.REPLACE: Action.REPLACED,
    }[measure.step]
    return Result(measure, replace(measure.leaked.key), action, changed=False, trouble=measure.trouble)
