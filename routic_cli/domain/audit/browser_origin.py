"""A browser calls with a key of ours: the key is in a frontend, for everybody to read."""

from __future__ import annotations

from collections.abc import Iterator

from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.audit.history import callers, calls_of, window
from routic_cli.domain.audit.wording import addresses_in, counted, finding, named, revoke
from routic_cli.domain.clients import is_browser
from routic_cli.domain.keys import Key
from routic_cli.domain.traffic import Dimension, Label, Traffic


def find(facts: Facts) -> Iterator[Finding]:
    """A finding for each key that came with an Origin header or from the program that a person sits at."""
    found = {
        key_id: hits
        for key_id, rows in window(facts, Dimension.ORIGIN, Dimension.FAMILY).items()
        if (hits := [row for row in rows if _is_frontend(*row.labels[1:])])
    }
    addresses = callers(facts, found, Dimension.ORIGIN, Dimension.FAMILY)
    for key in facts.keys:
        if key.id in found:
            rows = [row for row in addresses[key.id] if _is_frontend(*row.labels[2:])]
            yield _finding(key, found[key.id], rows)


def _is_frontend(origin: Label, family: Label) -> bool:
    return bool(origin) or is_browser(str(family))


def _finding(key: Key, hits: list[Traffic], rows: list[Traffic]) -> Finding:
    origins = [str(row.labels[1]) for row in sorted(hits, key=lambda row: -row.calls) if row.labels[1]]
    browsers = [
        str(row.labels[2]) for row in sorted(hits, key=lambda row: -row.calls) if is_browser(str(row.labels[2]))
    ]
    seen = [f"the origin {named(origins)}"] if origins else []
    seen += [named(browsers)] if browsers else []
    places = counted(len({row.labels[1] for row in rows}), "address", "addresses")
    evidence = (
        f"{counted(calls_of(hits), 'call')} from {places} with {' and '.join(seen)}: the key is in a"
        " frontend, where everybody can read it. Call the gateway from a backend, and end the key."
    )
    remedy = revoke(key, "used in a browser")
    return finding(RuleName.BROWSER_ORIGIN, Severity.HIGH, key, hits, evidence, remedy, addresses=addresses_in(rows))
