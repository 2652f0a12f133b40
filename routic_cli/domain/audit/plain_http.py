"""A key came over HTTP: everybody on its way could read it."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import calls_of, window
from routic_cli.domain.audit.wording import addresses_in, counted, finding, rotate_now
from routic_cli.domain.traffic import Dimension
from routic_cli.domain.usage import Flag


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key of ours."""
    found = window(facts, Dimension.ADDRESS, flag=Flag.PLAIN_HTTP)
    for key in facts.keys:
        if rows := found.get(key.id):
            evidence = (
                f"{counted(calls_of(rows), 'call')} over plain HTTP, readable for whoever is on the way. Use https://"
                " as the base URL of the service, and end this secret."
            )
            yield finding(
                RuleName.PLAIN_HTTP, Severity.HIGH, key, rows, evidence, rotate_now(key), addresses=addresses_in(rows)
            )
