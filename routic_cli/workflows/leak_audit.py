"""Who called with what leaked: the usage log since the leak, key by key. It changes nothing and hides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from routic_cli.domain.audit.findings import AuditQuery, Finding, RuleName
from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.errors import InsufficientScopeError, RouticError
from routic_cli.domain.keys import Key, KeyId, UnixSeconds
from routic_cli.domain.traffic import Dimension, Traffic, TrafficQuery
from routic_cli.domain.usage import USES, Outcome
from routic_cli.output.incident.incident import Caller, KeyAudit, SinceWhen
from routic_cli.output.incident.wording import DAYS
from routic_cli.transport.usage import UsageTransport
from routic_cli.workflows.leaks import LeakedKey

_DAY: Final = 86_400
_BY: Final = (Dimension.KEY, Dimension.VERSION, Dimension.ADDRESS, Dimension.OUTCOME)
_DEAD: Final = frozenset({Outcome.REVOKED, Outcome.REPLACED, Outcome.EXPIRED})
# What says something of who has the key; how old it is, or that it has no end, is past caring about.
RULES: Final = (
    RuleName.USE_AFTER_REVOKE,
    RuleName.KEY_IN_URL,
    RuleName.BROWSER_ORIGIN,
    RuleName.PLAIN_HTTP,
    RuleName.NEW_NETWORK,
    RuleName.NEW_CLIENT,
    RuleName.VOLUME_SPIKE,
    RuleName.SHARED_KEY,
    RuleName.WRONG_ENVIRONMENT,
)
_ONE_BY_ONE: Final = 25
_BY_ID: Final = 100
"""So many ids are put into a question; of more keys, everything is asked."""


@dataclass(frozen=True, slots=True)
class Since:
    """From when on to look, and what that moment is."""

    at: UnixSeconds
    when: SinceWhen


def since_of(leaked: LeakedKey, now: UnixSeconds) -> Since:
    """The date of the oldest finding, and when the version was made if that was later; the same without any date.

    Without a date, a version that is old says nothing about when it leaked: then it is the last days. A date that has
    not come yet is none.
    """
    made = min(each.version.created_at for each in leaked.found)
    if leaked.at is not None and made <= leaked.at <= now:
        return Since(leaked.at, SinceWhen.REPORT)
    days_ago = now - DAYS * _DAY
    is_known = leaked.at is not None and leaked.at < made
    return (
        Since(days_ago, SinceWhen.DAYS_AGO)
        if made < days_ago and not is_known
        else Since(min(made, now), SinceWhen.CREATION)
    )


def audits(
    leaks: Sequence[LeakedKey],
    keys: Mapping[KeyId, Key],
    usage: Callable[[], UsageTransport],
    policy: Policy,
    now: UnixSeconds,
) -> dict[KeyId, KeyAudit]:
    """What the log says of each key; why not, where it may not be asked or cannot be read.

    Few keys are looked at one by one, each since its own leak; many at once, since the first leak among them.
    """
    begins = {each.key.id: since_of(each, now) for each in leaks}
    ordered = sorted(leaks, key=lambda each: begins[each.key.id].at)
    size = 1 if len(ordered) <= _ONE_BY_ONE else len(ordered)
    found: dict[KeyId, KeyAudit] = {}
    trouble = ""
    for start in range(0, len(ordered), size):
        group = ordered[start : start + size]
        if not trouble:
            try:
                found |= _looked_at(group, begins, keys, usage(), policy, now)
                continue
            except RouticError as error:
                trouble = _why(error)
        found |= {
            each.key.id: KeyAudit(begins[each.key.id].at, begins[each.key.id].when, trouble=trouble) for each in group
        }
    return found


def _why(error: RouticError) -> str:
    if isinstance(error, InsufficientScopeError):
        return f"{error.what}. It has to hold usage:read" if "usage:read" not in error.what else error.what
    return " ".join(f"{part.rstrip('.')}." for part in (error.what, error.why) if part).rstrip(".")


def _looked_at(
    group: Sequence[LeakedKey],
    begins: Mapping[KeyId, Since],
    keys: Mapping[KeyId, Key],
    usage: UsageTransport,
    policy: Policy,
    now: UnixSeconds,
) -> dict[KeyId, KeyAudit]:
    since = min(begins[each.key.id].at for each in group)
    ids = tuple(each.key.id for each in group) if len(group) <= _BY_ID else ()
    rows = usage.summary(TrafficQuery(_BY, since=since, until=now + 1, key_ids=ids or None)).rows
    findings = usage.audit(AuditQuery(since, now + 1, RULES, ids, policy))
    by_key: dict[KeyId, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.key_id is not None:
            by_key[finding.key_id].append(finding)
    calls: dict[KeyId, list[Traffic]] = defaultdict(list)
    for row in rows:
        if row.labels[0] is not None:
            calls[KeyId(str(row.labels[0]))].append(row)
    return {
        each.key.id: _audit_of(
            each, Since(since, begins[each.key.id].when), keys[each.key.id], calls[each.key.id], by_key[each.key.id]
        )
        for each in group
    }


def _audit_of(
    leaked: LeakedKey, since: Since, key: Key, rows: Sequence[Traffic], findings: Sequence[Finding]
) -> KeyAudit:
    numbers = {each.version.number for each in leaked.found}
    ours = [row for row in rows if row.labels[1] in numbers and row.last_at >= since.at]
    return KeyAudit(
        since=since.at,
        since_when=since.when,
        log_since=key.usage_since,
        callers=sorted(_callers(ours), key=lambda each: (-each.calls, each.address)),
        after_end=sum(row.calls for row in ours if row.labels[3] in _DEAD),
        findings=findings,
    )


def _callers(rows: Sequence[Traffic]) -> Iterator[Caller]:
    by_address: dict[str, list[Traffic]] = defaultdict(list)
    for row in rows:
        by_address[str(row.labels[2] or "")].append(row)
    for address, calls in by_address.items():
        yield Caller(
            address,
            calls=sum(row.calls for row in calls),
            refused=sum(row.calls for row in calls if row.labels[3] not in USES),
            first_at=min(row.first_at for row in calls),
            last_at=max(row.last_at for row in calls),
        )
