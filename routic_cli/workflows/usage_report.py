"""What a usage report is made of, asked of the store and its log in few questions, however many calls there were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from routic_cli.domain.audit.findings import AuditQuery
from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.keys import Key, KeyId, KeyQuery, KeyStatus, UnixSeconds
from routic_cli.domain.traffic import Dimension, Label, Summary, Traffic, TrafficQuery
from routic_cli.domain.usage import Outcome
from routic_cli.output.report.bars import COLOURS
from routic_cli.output.report.contents import Course, KeyUsage, Report, Steps
from routic_cli.transport.interface import Transport
from routic_cli.transport.paging import all_keys

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_MONDAY: Final = 4 * _DAY
"""Of 1970: weeks begin with a Monday."""
# Up to which period a bar is how long: some dozens of bars are a picture, hundreds are a carpet.
_STEPS: Final = ((2 * _DAY, _HOUR), (8 * _DAY, 3 * _HOUR), (15 * _DAY, 6 * _HOUR), (100 * _DAY, _DAY))
_LONG_STEPS: Final = ((730 * _DAY, 7 * _DAY), (8 * 365 * _DAY, 28 * _DAY))
_LONGEST_STEP: Final = 364 * _DAY
_CLIENT_ERROR: Final = 400

_KINDS: Final[Mapping[str, str]] = {
    Outcome.MISSING: "no key",
    Outcome.MALFORMED: "malformed key",
    Outcome.UNKNOWN: "unknown key",
    Outcome.IN_URL: "key in the URL",
    Outcome.EXPIRED: "expired key",
    Outcome.REVOKED: "revoked key",
    Outcome.REPLACED: "replaced version",
    Outcome.LACKS_SCOPE: "lacks the scope",
    Outcome.LIMITED: "over its limit",
    Outcome.UNAVAILABLE: "store away",
    Outcome.REFUSED: "refused",
}


def gather(
    transport: Transport,
    since: UnixSeconds,
    until: UnixSeconds,
    *,
    now: UnixSeconds,
    store: str,
    policy: Policy,
) -> Report:
    """Everything that the page says of the time from `since` to before `until`. `store` is its name on the page."""

    def ask(by: tuple[Dimension, ...], key_ids: tuple[KeyId, ...] | None = None) -> Summary:
        return transport.usage.summary(TrafficQuery(by, since=since, until=until, key_ids=key_ids))

    totals = ask((Dimension.KEY,))
    steps = steps_of(since, until, min((row.first_at for row in totals.rows), default=since))
    keys, _ = all_keys(transport, KeyQuery(), None)
    usages = _usages(totals, keys)
    return Report(
        account=transport.account(),
        store=store,
        since=since,
        until=until,
        made_at=now,
        keys=usages,
        findings=transport.usage.audit(AuditQuery(since, until, policy=policy)),
        steps=steps,
        calls=_calls(usages, steps, ask),
        errors=_errors(ask((Dimension.HOUR, Dimension.OUTCOME, Dimension.STATUS)).rows, steps),
    )


def steps_of(since: UnixSeconds, until: UnixSeconds, first_call: UnixSeconds) -> Steps:
    """The steps that the period is drawn in; it begins with the first call where most of it was before that."""
    if first_call - since > (until - since) // 2:
        since = first_call
    span = until - since
    length = next((length for most, length in (*_STEPS, *_LONG_STEPS) if span <= most), _LONGEST_STEP)
    offset = _MONDAY if length > _DAY else 0
    begin = since - (since - offset) % length
    return Steps(begin, length, max(-(-(until - begin) // length), 1))


def _usages(totals: Summary, keys: Sequence[Key]) -> list[KeyUsage]:
    """The keys that were called or can be, the most calls first; what came without a key last."""
    traffic = {row.labels[0]: row for row in totals.rows}
    known: dict[Label, Key] = {key.id: key for key in keys}
    found = [
        KeyUsage(KeyId(str(label)), totals.key_names.get(KeyId(str(label))), known.get(label), row)
        for label, row in traffic.items()
        if label is not None
    ]
    found.sort(key=lambda each: (-each.traffic.calls if each.traffic else 0, each.name or "", each.id or ""))
    found += [KeyUsage(key.id, key.name, key, None) for key in keys if key.id not in traffic and _is_live(key)]
    if None in traffic:
        found.append(KeyUsage(None, None, None, traffic[None]))
    return found


def _is_live(key: Key) -> bool:
    return key.status is KeyStatus.ACTIVE


def _calls(usages: Sequence[KeyUsage], steps: Steps, ask: Callable[..., Summary]) -> list[Course]:
    """The keys with the most calls, each with a course of its own, and the rest together.

    The rest is what all calls are more than those: the hours of every key of thousands would be a long answer.
    """
    called = [each for each in usages if each.traffic is not None]
    named = [each for each in called if each.id is not None]
    shown = named[: COLOURS - 1]
    ids = tuple(each.id for each in shown if each.id is not None)
    own = _by_step(ask((Dimension.HOUR, Dimension.KEY), ids).rows if ids else (), steps, lambda row: row.labels[1])
    everything = _by_step(ask((Dimension.HOUR,)).rows, steps, lambda _: "")[""]
    courses = [Course(_told_apart(each, shown), tuple(own[each.id])) for each in shown]
    rest = tuple(
        max(count - sum(course.counts[place] for course in courses), 0) for place, count in enumerate(everything)
    )
    if any(rest):
        courses.append(Course(_rest_name(others=len(named) > len(shown), without=len(called) > len(named)), rest))
    return courses


def _errors(rows: Iterable[Traffic], steps: Steps) -> list[Course]:
    """The kinds of errors, the most frequent first; the least frequent of many together."""
    counts = _by_step((row._replace(calls=row.errors) for row in rows if row.errors), steps, _kind)
    courses = sorted((Course(str(kind), tuple(each)) for kind, each in counts.items()), key=lambda each: -each.total)
    shown, rest = courses[: COLOURS - 1], courses[COLOURS - 1 :]
    if len(rest) > 1:
        rest = [Course("other errors", tuple(map(sum, zip(*(each.counts for each in rest), strict=True))))]
    return shown + rest


def _kind(row: Traffic) -> str:
    """Why a call failed, in a word or two; of one that was let in, what it was answered with."""
    _, outcome, status = row.labels
    if outcome == Outcome.ALLOWED and isinstance(status, int) and status >= _CLIENT_ERROR:
        return f"let in, then {status}"
    return _KINDS.get(str(outcome), str(outcome))


def _by_step(rows: Iterable[Traffic], steps: Steps, kind_of: Callable[[Traffic], Label]) -> dict[Label, list[int]]:
    """The calls of each kind in each step. Hours are the first label of each row."""
    counts: dict[Label, list[int]] = defaultdict(lambda: [0] * steps.count)
    for row in rows:
        hour = row.labels[0]
        if isinstance(hour, int):
            # The hour in which the period begins is counted whole, and may begin before the first step.
            place = min(max((hour - steps.begin) // steps.length, 0), steps.count - 1)
            counts[kind_of(row)][place] += row.calls
    return counts


def _told_apart(each: KeyUsage, shown: Sequence[KeyUsage]) -> str:
    """The name of a key; with its id where another one has or had the name."""
    name = each.name or str(each.id)
    return f"{name} ({each.id})" if sum(other.name == each.name for other in shown) > 1 else name


def _rest_name(*, others: bool, without: bool) -> str:
    if others and without:
        return "other keys, and none of ours"
    return "other keys" if others else "no key of ours"
