"""A live key that nobody has used for long: it can only be lost."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import DAY_SECONDS
from routic_cli.domain.audit.wording import finding, is_live, moment, revoke
from routic_cli.domain.keys import Key, UnixSeconds


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each. A log that is younger than the threshold cannot say that a key is unused."""
    days = facts.query.policy.stale_days
    before = facts.now - days * DAY_SECONDS
    began = facts.log_began
    if began is None or began > before:
        return
    for key in facts.keys:
        used = _last_use(facts, key)
        if is_live(key) and (key.created_at if used is None else used) <= before:
            yield finding(
                RuleName.STALE, Severity.LOW, key, (), _evidence(key, used, began, facts.now), revoke(key, "unused")
            )


def _last_use(facts: Facts, key: Key) -> UnixSeconds | None:
    use = facts.last_use(key.id)
    known = [at for at in (use.at if use is not None else None, key.last_used_at) if at is not None]
    return max(known, default=None)


def _evidence(key: Key, used: UnixSeconds | None, began: UnixSeconds, now: UnixSeconds) -> str:
    log = f"The log goes back to {moment(began)}."
    if used is None:
        days = (now - key.created_at) // DAY_SECONDS
        return f"Made {days:,} days ago, and never used as far as the log tells. {log}"
    return f"Last used {(now - used) // DAY_SECONDS:,} days ago ({moment(used)}). {log}"
