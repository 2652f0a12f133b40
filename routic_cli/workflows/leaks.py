"""From what a report says to what is ours: the keys whose secret was found, and what is known of everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import Key, KeyId, KeyStatus, KeyVersion, UnixSeconds, Verdict, VerdictStatus
from routic_cli.domain.rules import REASON_LENGTH, checked_reason
from routic_cli.domain.secret import Fingerprint
from routic_cli.scanning.reports.entry import Where
from routic_cli.scanning.reports.report import Leak, Report
from routic_cli.transport.interface import Transport

_LONGEST_PLACE: Final = 200
_PLACES: Final = 20
_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class LeakedVersion:
    """One secret of a key that was found: where, how often, and since when it may be known, if the report says so."""

    version: KeyVersion
    verdict: VerdictStatus
    count: int
    at: UnixSeconds | None
    places: Sequence[Where]

    @property
    def is_let_in(self) -> bool:
        """Whether somebody who has it can use it."""
        return self.verdict is VerdictStatus.ACTIVE


@dataclass(slots=True)
class LeakedKey:
    """A key of ours, and the secrets of it that were found."""

    key: Key
    found: list[LeakedVersion] = field(default_factory=list)

    @property
    def has_to_end(self) -> bool:
        """Whether the key must be revoked: a secret that was found is let in, or could be again.

        What ended with a rotation is dead, and the versions after it are not in the report. A history that is scanned
        at every push has it for ever: it must not take the key down that replaced it.
        """
        if self.key.status is KeyStatus.REVOKED:
            return False
        return self.key.status is KeyStatus.EXPIRED or any(each.is_let_in for each in self.found)

    @property
    def at(self) -> UnixSeconds | None:
        """When it leaked first, as far as the report says."""
        return min((each.at for each in self.found if each.at is not None), default=None)


@dataclass(frozen=True, slots=True)
class Triage:
    """What a report comes to. `not_ours` are secrets that no key of the store has.

    `cut` are those of them that look like keys of ours without their end. Of what is neither ours nor not ours,
    `kept_back` are secrets whose hashes a server across the network was not asked about, because they could be guessed,
    and `elsewhere` those that another account of the same store has.
    """

    keys: Sequence[LeakedKey]
    not_ours: int
    cut: int
    kept_back: int
    elsewhere: int

    @property
    def to_revoke(self) -> list[LeakedKey]:
        """The keys that have to end."""
        return [each for each in self.keys if each.has_to_end]


def triage(
    transport: Transport, report: Report, *, is_remote: bool, told: Callable[[int], None] = lambda _: None
) -> Triage:
    """Ask the store about every secret of the report, by hash. `told` hears how many more were asked about."""
    keys: dict[KeyId, LeakedKey] = {}
    not_ours = cut = kept_back = elsewhere = 0
    for some in _batches(report.leaks):
        asked = [[each for each in leak.hashes if not (is_remote and each in leak.guessable)] for leak in some]
        verdicts = iter(transport.verify_many([sha256 for hashes in asked for sha256 in hashes]))
        told(len(some))
        for leak, hashes in zip(some, asked, strict=True):
            answers = list(islice(verdicts, len(hashes)))
            known = [each for each in answers if each.key is not None]
            for verdict in known:
                _add(keys, verdict, leak)
            if known:
                continue
            if not hashes:
                kept_back += 1
            elif any(each.elsewhere is not None for each in answers):
                elsewhere += 1
            else:
                not_ours += 1
                cut += leak.is_cut
    return Triage(list(keys.values()), not_ours, cut, kept_back, elsewhere)


def _batches(leaks: Sequence[Leak]) -> Iterator[Sequence[Leak]]:
    for start in range(0, len(leaks), _AT_ONCE):
        yield leaks[start : start + _AT_ONCE]


def _add(keys: dict[KeyId, LeakedKey], verdict: Verdict, leak: Leak) -> None:
    if verdict.key is None:
        raise AssertionError("the verdict is about no key")
    version = next(each for each in verdict.key.versions if each.number == verdict.version)
    found = keys.setdefault(verdict.key.id, LeakedKey(verdict.key)).found
    for index, known in enumerate(found):
        if known.version.number == version.number:  # the same key, written in two ways
            found[index] = _together(known, leak)
            return
    found.append(LeakedVersion(version, verdict.status, leak.count, leak.at, tuple(leak.places)))


def _together(known: LeakedVersion, leak: Leak) -> LeakedVersion:
    """What was found of it in one way and in the other: since the earlier of both it may be known."""
    return replace(
        known,
        count=known.count + leak.count,
        at=min((at for at in (known.at, leak.at) if at is not None), default=None),
        places=tuple(dict.fromkeys([*known.places, *leak.places]))[:_PLACES],
    )


def reason_for(report: Report, leaked: Sequence[LeakedKey], shown: Callable[[str], str]) -> str:
    """Why the keys are revoked, as one line for all of them; `shown` makes the words of a report harmless.

    A place whose name the store would refuse is left out: whoever names files must not keep a key alive by it.
    """
    reason = f"leaked: found by {' and '.join(report.formats)}" if "plain text" not in report.formats else "leaked"
    places = [str(place) for key in leaked for each in key.found for place in each.places if place.file]
    if len(leaked) != 1 or not places:
        return reason[:REASON_LENGTH]
    with_place = f"{reason} in {shown(places[0])[:_LONGEST_PLACE]}"[:REASON_LENGTH]
    try:
        checked_reason(with_place)
    except InvalidRequestError:
        return reason[:REASON_LENGTH]
    return with_place


def fingerprints(keys: Iterable[LeakedKey]) -> list[Fingerprint]:
    """One secret that was found of each key: what the store is told to end it by."""
    return [each.found[0].version.sha256 for each in keys]
