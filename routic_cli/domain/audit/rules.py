"""The rules of the audit, in the order of SPEC 11. A rule is a module of this package with a `find`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from routic_cli.domain.audit import (
    browser_origin,
    guessing,
    key_in_url,
    limit_pressure,
    new_client,
    new_network,
    no_expiry,
    old,
    plain_http,
    shared_key,
    stale,
    use_after_revoke,
    volume_spike,
    wrong_environment,
)
from routic_cli.domain.audit.facts import Facts
from routic_cli.domain.audit.findings import Finding, RuleName

RULES: Final[Mapping[RuleName, Callable[[Facts], Iterator[Finding]]]] = {
    RuleName.USE_AFTER_REVOKE: use_after_revoke.find,
    RuleName.KEY_IN_URL: key_in_url.find,
    RuleName.BROWSER_ORIGIN: browser_origin.find,
    RuleName.PLAIN_HTTP: plain_http.find,
    RuleName.GUESSING: guessing.find,
    RuleName.NEW_NETWORK: new_network.find,
    RuleName.NEW_CLIENT: new_client.find,
    RuleName.VOLUME_SPIKE: volume_spike.find,
    RuleName.SHARED_KEY: shared_key.find,
    RuleName.WRONG_ENVIRONMENT: wrong_environment.find,
    RuleName.LIMIT_PRESSURE: limit_pressure.find,
    RuleName.STALE: stale.find,
    RuleName.OLD: old.find,
    RuleName.NO_EXPIRY: no_expiry.find,
}
