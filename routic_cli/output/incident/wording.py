"""The sentences of an incident that a person reads, whatever the form; nothing here is made safe for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routic_cli.delivery.sink import KEYRING, Placement
from routic_cli.domain.keys import UnixSeconds
from routic_cli.output.amounts import counted
from routic_cli.output.incident.incident import Action, FoundVersion, KeyAudit, LeakedKeyReport, SinceWhen
from routic_cli.output.times import absolute
from routic_cli.scanning.reports.entry import Where

DAYS: Final = 30
"""How far back is looked where nobody knows when a key leaked."""
_COMMIT: Final = 12

_SINCE: Final = {
    SinceWhen.REPORT: "the date of the oldest finding",
    SinceWhen.CREATION: "when the leaked version was made",
    SinceWhen.DAYS_AGO: f"{DAYS} days ago; when it leaked is not known",
}


def versions_in_words(found: Sequence[FoundVersion]) -> str:
    """`version 1 (sk-AbCd…WxYz)`."""
    return ", ".join(f"version {each.version.number} ({each.version.hint})" for each in found)


def where_in_words(where: Where) -> str:
    """`config.py:4, commit 0123456789ab`."""
    return f"{where}, commit {where.commit[:_COMMIT]}" if where.commit else str(where)


def done_in_words(report: LeakedKeyReport, *, is_dry_run: bool) -> str:
    """What was done about a key, in a sentence without its end."""
    numbers = ", ".join(str(each.version.number) for each in report.found if each.was_let_in)
    ended = f", {absolute(report.ended_at)}" if report.ended_at is not None and not is_dry_run else ""
    would, was, has = ("would be ", "would be ", "would have") if is_dry_run else ("", "", "has")
    match report.action:
        case Action.REVOKED:
            return f"{was}revoked{ended}, without a replacement"
        case Action.REPLACED:
            new = f"version {report.replacement.number}" if report.replacement else "a next version"
            return f"{has} {new}; {would}ended at once: version {numbers}{ended}"
        case Action.VERSION_ENDED:
            return f"{would}ended at once: version {numbers}{ended}; the current one is not in the report"
        case Action.FAILED:
            return "IT MAY STILL BE LET IN: ending it failed"
        case Action.NONE:
            dead = "nothing to do: what leaked has been dead"
            return f"{dead} since {absolute(report.ended_at)}" if report.ended_at is not None else f"{dead} before"


def place_in_words(place: Placement) -> str:
    """`.env as ROUTIC_API_KEY`, or the keyring."""
    return "the keyring of this system" if place.kind == KEYRING else f"{place.location} as {place.variable}"


def since_in_words(audit: KeyAudit) -> str:
    """From when on the log was looked at, and why from then."""
    return f"{absolute(audit.since)} ({_SINCE[audit.since_when]})"


def calls_in_words(audit: KeyAudit) -> str:
    """`120 calls, 3 of them refused, from 2 addresses`; of a log that has nothing, that it has nothing."""
    if audit.trouble:
        return f"not looked at: {audit.trouble}"
    if not audit.was_made:
        return "nothing could be looked at: the usage log is empty. That is no sign that nobody used it"
    late = audit.log_since is not None and audit.log_since > audit.since
    begins = f"; the log begins only {absolute(audit.log_since)}" if audit.log_since is not None and late else ""
    if not audit.callers:
        return f"no calls with what leaked{begins}"
    refused = f", {audit.refused:,} of them refused" if audit.refused else ""
    came = f"{counted(audit.calls, 'call')}{refused}, from {_addresses(len(audit.callers))}"
    after = f"; {counted(audit.after_end, 'call')} after its end" if audit.after_end else ""
    return came + after + begins


def found_in_words(found: FoundVersion, at: UnixSeconds | None) -> str:
    """`3 times, since 2026-11-01T12:00:00Z`."""
    times = "once" if found.count == 1 else f"{found.count:,} times"
    return times + (f", first {absolute(at)}" if at is not None else "")


def _addresses(count: int) -> str:
    return "1 address" if count == 1 else f"{count:,} addresses"
