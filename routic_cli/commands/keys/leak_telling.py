"""What is said while an incident is dealt with: before, after each key, and how the command ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.commands.destinations import notices_of
from routic_cli.commands.options import described
from routic_cli.delivery.sink import Placement
from routic_cli.domain.errors import PartialFailureError
from routic_cli.domain.keys import KeyId
from routic_cli.output.amounts import counted
from routic_cli.output.incident.incident import Action
from routic_cli.output.incident.wording import done_in_words, place_in_words
from routic_cli.session import Session
from routic_cli.workflows.incident import create_command, report_of, troubles
from routic_cli.workflows.leak_response import Measure, Result, Step, as_planned

SHOWN: Final = 20
"""So many keys are named one by one."""


def say_what_happens(session: Session, measures: Sequence[Measure]) -> None:
    """What is going to be done, and what will be missing."""
    for measure in measures[:SHOWN]:
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


def question(measures: Sequence[Measure]) -> str:
    """What a person is asked."""
    parts = []
    for step, verb in ((Step.REVOKE, "Revoke"), (Step.REPLACE, "Replace"), (Step.END, "End what leaked of")):
        meant = [each.leaked.key for each in measures if each.step is step]
        if meant:
            parts.append(f"{verb} {described(meant[0]) if len(meant) == 1 else counted(len(meant), 'key')}")
    return f"{'; '.join(parts)}, for good?"


def tell(session: Session, result: Result) -> None:
    """What was done about one key."""
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


def conclude(session: Session, results: Sequence[Result], *, is_dry_run: bool) -> None:
    """The error that the command ends with, if any: where something lives on, its own; else PartialFailureError."""
    failed = [each for each in results if each.action is Action.FAILED]
    if failed and failed[0].trouble is not None:
        # With its own exit code: 8 says that all of what leaked is dead.
        error, ids = failed[0].trouble, " ".join(each.key.id for each in failed[:SHOWN])
        error.not_done = f"What leaked of {_named(failed)} may still be let in"
        error.remedy = session.with_its_flags(f"routic keys revoke {ids} --yes")
        raise error
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
        return create_command(result.key, known_places(session, result.key.id), session.now())
    return f"routic rotate {result.key.name}"


def _named(results: Sequence[Result]) -> str:
    return described(results[0].key) if len(results) == 1 else counted(len(results), "key")


def known_places(session: Session, key_id: KeyId) -> list[Placement]:
    """Where this machine has put the key, as far as it remembers."""
    if session.memory_trouble is not None:
        return []
    return [Placement(each.kind, each.location, each.variable) for each in session.placements(key_id)]
