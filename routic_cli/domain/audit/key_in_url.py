"""A key came in the URL: it is in every log and history on its way."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import calls_of, window
from routic_cli.domain.audit.wording import addresses_in, counted, finding, rotate_now
from routic_cli.domain.traffic import Dimension, TrafficQuery
from routic_cli.domain.usage import Flag, Outcome


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key of ours, and one for calls of which nobody looked up whose key it was."""
    found = window(facts, Dimension.ADDRESS, flag=Flag.KEY_IN_URL)
    for key in facts.keys:
        if rows := found.get(key.id):
            evidence = (
                f"{counted(calls_of(rows), 'call')} with the key in the URL, where proxies, browsers and logs keep it."
                " Send it in the Authorization header, and end this secret."
            )
            yield finding(
                RuleName.KEY_IN_URL, Severity.HIGH, key, rows, evidence, rotate_now(key), addresses=addresses_in(rows)
            )
    if not facts.query.key_ids:
        yield from _of_nobody(facts)


def _of_nobody(facts: Facts) -> Iterator[Finding]:
    query = TrafficQuery(
        (Dimension.KEY, Dimension.ADDRESS),
        since=facts.query.since,
        until=facts.query.until,
        outcomes=(Outcome.IN_URL,),
    )
    rows = [row for row in facts.traffic(query) if row.labels[0] is None]
    if rows:
        evidence = (
            f"{counted(calls_of(rows), 'call')} with a key in the URL and none in the Authorization header: refused,"
            " and whose key it was is not known. Ask who calls from there."
        )
        yield finding(RuleName.KEY_IN_URL, Severity.HIGH, None, rows, evidence, None, addresses=addresses_in(rows))
