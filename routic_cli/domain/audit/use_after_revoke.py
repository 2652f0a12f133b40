"""Calls with a secret after its end: it has leaked, or a service was not updated."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import DAY_SECONDS, LET_IN, calls_of, window
from routic_cli.domain.audit.wording import addresses_in, counted, finding, is_live, moment, named, ref
from routic_cli.domain.keys import Key, KeyId, UnixSeconds
from routic_cli.domain.traffic import Dimension, Label, Traffic, TrafficQuery
from routic_cli.domain.usage import Outcome

_SURE: Final = (Outcome.REVOKED, Outcome.REPLACED)
_ASKED: Final = (*_SURE, Outcome.EXPIRED, *LET_IN)

# The end of each version that has one. Events that name no version are of the key as a whole.
_Ends = Mapping[tuple[KeyId, int | None], UnixSeconds]


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key with calls after the end of one of its versions.

    The end is the key's revocation or the version's own end, whichever came first; a key that has just expired is
    none. A call that was let in counts from `in_flight_minutes` after the end: logs are written when a call is over.
    """
    ends = _ends(facts)
    keys = {key_id for key_id, _ in ends}
    if not keys:
        return
    rough = window(facts, Dimension.VERSION, Dimension.OUTCOME, keys=keys, outcomes=_ASKED)
    suspects = {key_id for key_id, rows in rough.items() if any(_after(facts, ends, row) for row in rows)}
    if not suspects:
        return
    by = (Dimension.VERSION, Dimension.OUTCOME, Dimension.ADDRESS, Dimension.NETWORK, Dimension.HOUR)
    found = {
        key_id: [late for row in rows if (late := _after(facts, ends, row)) is not None]
        for key_id, rows in window(facts, *by, keys=suspects, outcomes=_ASKED).items()
    }
    before = _networks_before(facts, suspects, min(_end(ends, row) for rows in found.values() for row in rows))
    for key in facts.keys:
        if rows := found.get(key.id):
            yield _finding(key, rows, ends, before.get(key.id, {}))


def _ends(facts: Facts) -> _Ends:
    ends: dict[tuple[KeyId, int | None], UnixSeconds] = {}
    for key in facts.keys:
        own = [(version.number, version.expires_at) for version in key.versions]
        for number, expires_at in (*own, (None, None)):
            end = min((at for at in (key.revoked_at, expires_at) if at is not None), default=None)
            if end is not None and end < facts.query.until:
                ends[key.id, number] = end
    return ends


def _after(facts: Facts, ends: _Ends, row: Traffic) -> Traffic | None:
    """What of the row was after the end, as far as its first and last call tell; at least one call, or None."""
    end = ends.get((KeyId(str(row.labels[0])), _number(row.labels[1])))
    if end is None:
        return None
    if row.labels[2] in _SURE:
        return row
    # A key that has expired refuses its replaced versions, too, and says only that it has expired.
    late = end if row.labels[2] == Outcome.EXPIRED else end + facts.query.policy.in_flight_minutes * 60 + 1
    if row.last_at < late:
        return None
    return row if row.first_at >= late else row._replace(calls=1, first_at=row.last_at)


def _networks_before(
    facts: Facts, suspects: set[KeyId], first: UnixSeconds
) -> Mapping[KeyId, Mapping[Label, UnixSeconds]]:
    """Since when each network was let in with the key, in its history before the first of the ends."""
    found: dict[KeyId, dict[Label, UnixSeconds]] = {}
    query = TrafficQuery(
        (Dimension.KEY, Dimension.NETWORK),
        since=min(first, facts.query.since) - facts.query.policy.baseline_days * DAY_SECONDS,
        until=facts.query.until,
        key_ids=tuple(sorted(suspects)),
        outcomes=LET_IN,
    )
    for row in facts.traffic(query):
        found.setdefault(KeyId(str(row.labels[0])), {})[row.labels[1]] = row.first_at
    return found


class _Verdict(NamedTuple):
    text: str
    is_leak: bool


def _finding(key: Key, rows: list[Traffic], ends: _Ends, networks: Mapping[Label, UnixSeconds]) -> Finding:
    numbers = sorted({_number(row.labels[1]) or 0 for row in rows})
    end = min(_end(ends, row) for row in rows)
    let_in = calls_of(row for row in rows if row.labels[2] in LET_IN)
    refused = calls_of(rows) - let_in
    versions = f" with version {named(map(str, numbers))}" if numbers != [0] else ""
    what = "the key was revoked" if key.revoked_at == end else "its end"
    verdict = _verdict(rows, networks, end)
    evidence = (
        f"{counted(let_in + refused, 'call')}{versions} after {what} ({moment(end)}): {refused:,} refused,"
        f" {let_in:,} let in. {verdict.text}."
    )
    return finding(
        RuleName.USE_AFTER_REVOKE,
        Severity.HIGH,
        key,
        rows,
        evidence,
        _remedy(key, let_in, verdict),
        addresses=addresses_in(rows, place=3),
    )


def _verdict(rows: list[Traffic], networks: Mapping[Label, UnixSeconds], end: UnixSeconds) -> _Verdict:
    known = {network for network, first_at in networks.items() if first_at <= end}
    strange = [row for row in rows if row.labels[4] not in known]
    if not known:
        return _Verdict("The log has no call from before the end to compare with: treat it as a leak", is_leak=True)
    if not strange:
        text = (
            f"All from where the key was used before ({named(_texts(rows))}): probably a service that was not updated"
        )
        return _Verdict(text, is_leak=False)
    text = f"{counted(calls_of(strange), 'call')} from networks that never used it before ({named(_texts(strange))})"
    return _Verdict(f"{text}: treat it as a leak", is_leak=True)


def _remedy(key: Key, let_in: int, verdict: _Verdict) -> str:
    if let_in:  # whoever let them in does not ask routic, or asks another store
        return "routic doctor"
    if is_live(key):
        return f"routic rotate {ref(key)} --status"
    if verdict.is_leak:
        return f"routic usage show --key {key.id} --by address"
    return f"routic keys create --name {shlex.quote(key.name)}"


def _texts(rows: list[Traffic]) -> Iterator[str]:
    return (str(row.labels[4] or "no address") for row in sorted(rows, key=lambda row: -row.calls))


def _end(ends: _Ends, row: Traffic) -> UnixSeconds:
    return ends[KeyId(str(row.labels[0])), _number(row.labels[1])]


def _number(label: Label) -> int | None:
    return label if isinstance(label, int) else None
