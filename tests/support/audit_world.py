"""A store and its log for the rules of the audit: keys with a past, calls by the hour, and what is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from routic_cli.domain.audit.findings import AuditQuery, Finding, RuleName
from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.keys import KeyId
from routic_cli.domain.usage import UsageEvent
from routic_cli.service.audit import audit
from routic_cli.store.sqlite import SqliteStore
from tests.support.keys import new_key, new_version

HOUR = 3600
DAY = 24 * HOUR
MONDAY = 1_799_625_600
"""A midnight in UTC, and the moment at which the audit is made."""
SINCE = MONDAY - 7 * DAY
"""The beginning of what is looked at."""

PYTHON = "OpenAI/Python 2.8.1"
NODE = "OpenAI/JS 6.1.0"
CURL = "curl/8.5.0"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@dataclass
class AuditWorld:
    """Keys by number (tests/support/keys.py), and a log in which they call."""

    store: SqliteStore
    events: list[UsageEvent] = field(default_factory=list)

    def key(self, n: int, name: str | None = None, *, at: int = MONDAY - 60 * DAY, **traits: Any) -> KeyId:
        """Make a key, as it was made at that time."""
        new = new_key(n, name, at=at, **traits)
        with self.store.writing(at) as tx:
            tx.insert_keys([new])
        return new.id

    def rotate(self, n: int, number: int, *, at: int, grace: int = DAY) -> None:
        """Give the key its version of that number, and the one before it an end."""
        with self.store.writing(at) as tx:
            tx.insert_version(new_key(n).id, new_version(n, number, at=at))
            tx.end_version(new_key(n).id, number - 1, at + grace)

    def revoke(self, n: int, *, at: int) -> None:
        """End the key."""
        with self.store.writing(at) as tx:
            tx.set_revoked([new_key(n).id], at, None)

    def call(self, key_id: KeyId | None, at: int, *, times: int = 1, **fields: Any) -> None:
        """Calls within the second; by default allowed, over HTTPS, by a program, from one address of a cluster."""
        event = UsageEvent(
            at,
            "allowed",
            "POST",
            "/v1/chat/completions",
            200,
            "10.1.1.7",
            PYTHON,
            "req_1",
            key_id=key_id,
            account="default",
        )
        event = event._replace(version=None if key_id is None else 1)._replace(**fields)
        self.events += [event] * times

    def call_hourly(self, key_id: KeyId, begin: int, end: int, *, times: int = 5, **fields: Any) -> None:
        """Calls in each hour between."""
        for hour in range(begin, end, HOUR):
            self.call(key_id, hour + 600, times=times, **fields)

    def settled(self, n: int, name: str | None = None, *, until: int = MONDAY, **fields: Any) -> KeyId:
        """A key that has called in each hour for 40 days, and still does: the habit that new things differ from."""
        traits = {"tags": fields.pop("tags", {})}
        key_id = self.key(n, name, **traits)
        self.call_hourly(key_id, MONDAY - 40 * DAY, until, **fields)
        return key_id

    def findings(
        self, *rules: RuleName, since: int = SINCE, keys: tuple[KeyId, ...] = (), **policy: int
    ) -> list[Finding]:
        """What the audit finds, by these rules or by all."""
        self.flush()
        query = AuditQuery(since, MONDAY, rules, keys, Policy().changed(policy))
        return audit(self.store, query, MONDAY)

    def finding(self, rule: RuleName, **options: Any) -> Finding:
        """The one thing that is found by the rule."""
        (found,) = self.findings(rule, **options)
        return found

    def flush(self) -> None:
        """Write the calls."""
        self.store.usage.append(self.events)
        self.events = []


@contextmanager
def audit_world(folder: Path) -> Iterator[AuditWorld]:
    """A new one in the folder."""
    with closing(SqliteStore(folder / "keys.db", account="default")) as store:
        yield AuditWorld(store)


def by_rule(findings: list[Finding]) -> Mapping[RuleName, Finding]:
    """The findings, of which each rule has one."""
    found = {finding.rule: finding for finding in findings}
    assert len(found) == len(findings)
    return found
