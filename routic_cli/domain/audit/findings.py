"""What an audit is asked, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routic_cli.domain.audit.policy import Policy
from routic_cli.domain.keys import KeyId, UnixSeconds


class Severity(StrEnum):
    """How soon somebody should look."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """The higher, the sooner."""
        return list(Severity).index(self)


class RuleName(StrEnum):
    """What an audit looks for, in the order of SPEC 11."""

    USE_AFTER_REVOKE = "use-after-revoke"
    KEY_IN_URL = "key-in-url"
    BROWSER_ORIGIN = "browser-origin"
    PLAIN_HTTP = "plain-http"
    GUESSING = "guessing"
    NEW_NETWORK = "new-network"
    NEW_CLIENT = "new-client"
    VOLUME_SPIKE = "volume-spike"
    SHARED_KEY = "shared-key"
    WRONG_ENVIRONMENT = "wrong-environment"
    LIMIT_PRESSURE = "limit-pressure"
    STALE = "stale"
    OLD = "old"
    NO_EXPIRY = "no-expiry"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that should not be there.

    `key_id` and `key_name` are None for what concerns no key of ours. `count` is of calls, or of keys tried; the times
    are of the first and last of them, None where none were made. `evidence` is a sentence or two; `remedy` a command
    where there is one. Text of callers' choosing may be in `addresses` and `evidence`: it is printed inert.
    """

    rule: RuleName
    severity: Severity
    key_id: KeyId | None
    key_name: str | None
    count: int
    first_at: UnixSeconds | None
    last_at: UnixSeconds | None
    addresses: tuple[str, ...]
    evidence: str
    remedy: str | None


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to look at: from `since` to before `until`, by these rules and for these keys; empty is all of them."""

    since: UnixSeconds
    until: UnixSeconds
    rules: tuple[RuleName, ...] = ()
    key_ids: tuple[KeyId, ...] = ()
    policy: Policy = field(default_factory=Policy)
