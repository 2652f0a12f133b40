"""Examples of the OpenAPI document. Replies are made by what makes the real ones, so that none is stale."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.accounts import Account, AccountChanges
from routic_cli.domain.audit.findings import Finding, RuleName, Severity
from routic_cli.domain.errors import NameTakenError
from routic_cli.domain.keys import (
    Key,
    KeyId,
    KeyStatus,
    KeyTraits,
    KeyVersion,
    NewKey,
    NewVersion,
    Revocation,
    Scope,
    Verdict,
    VerdictStatus,
)
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.traffic import Appended, Dimension, Traffic
from routic_cli.domain.usage import Outcome, UsageEvent
from routic_cli.server.operations import EXAMPLE_ID
from routic_cli.store.interface import TrailEntry
from routic_cli.transport.interface import Registration
from routic_cli.transport.wire.account import account_changes_body, account_object
from routic_cli.transport.wire.objects import (
    JsonObject,
    counts_object,
    key_object,
    list_object,
    registration_object,
    revocation_object,
    trail_object,
    verdict_object,
)
from routic_cli.transport.wire.requests import import_body, new_key_body, new_version_body, revocation_body
from routic_cli.transport.wire.usage import (
    appended_object,
    event_object,
    events_body,
    finding_object,
    pruned_object,
    summary_object,
)

_NOW: Final = 1_800_000_000
_DAY: Final = 86_400
_ID: Final = KeyId(EXAMPLE_ID)
_SHA256: Final = Fingerprint("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
_HINT: Final = "sk-AbCd…WxYz"
_TRAITS: Final = KeyTraits("prod-backend", {"team": "search"}, (Scope.API,), 600, _NOW + 90 * _DAY)
_KEY: Final = Key(_ID, _TRAITS, KeyStatus.ACTIVE, (KeyVersion(1, _SHA256, _HINT, _NOW),), _NOW)
_REVOKED: Final = Key(
    _ID, _TRAITS, KeyStatus.REVOKED, _KEY.versions, _NOW, revoked_at=_NOW + _DAY, revoke_reason="leaked"
)
_VERSION: Final = NewVersion(1, _SHA256, _HINT, _NOW)
_NEW: Final = NewKey(_ID, _TRAITS, _VERSION)
_REVOCATION: Final = Revocation(_SHA256, _REVOKED, changed=True)
_REFUSED: Final = Registration(None, error=NameTakenError("The name 'prod-backend' is taken", param="name"))
_ENTRY: Final = TrailEntry(_NOW, f"ops ({EXAMPLE_ID})", "key.created", _ID, {"name": "prod-backend"}, 1)

_EVENT: Final = UsageEvent(
    time=_NOW,
    outcome=Outcome.ALLOWED,
    method="POST",
    path="/v1/chat/completions",
    status=200,
    address="192.0.2.7",
    agent="OpenAI/Python 2.8.1",
    request_id="req_0123456789abcdef",
    key_id=_ID,
    version=1,
    tokens_in=1200,
    tokens_out=350,
    cost=6_500_000,
    model="gpt-5",
    identity=1,
)
_TRAFFIC: Final = Traffic((_ID, _NOW), 600, 3, 720_000, 210_000, 3_900_000_000, _NOW, _NOW + 3599)
_FINDING: Final = Finding(
    RuleName.USE_AFTER_REVOKE,
    Severity.HIGH,
    _ID,
    "prod-backend",
    12,
    _NOW,
    _NOW + 3599,
    ("192.0.2.7",),
    "12 calls with version 1 after it was revoked, the last by OpenAI/Python from 192.0.2.7.",
    f"routic keys show {_ID}",
)

_TO_MINT: Final[JsonObject] = {"name": "prod-backend", "tags": {"team": "search"}, "limits": {"rpm": 600}}

_ACCOUNT: Final = Account(
    "default", "EUR", 23_771_500_000, 1_228_500_000, _NOW, {KeyStatus.ACTIVE: 3, KeyStatus.REVOKED: 1}
)

BODIES: Final[dict[str, JsonObject]] = {
    "AccountChanges": account_changes_body(AccountChanges(25_000_000_000, "EUR")),
    "NewKey": new_key_body(_NEW),
    "KeyToMint": _TO_MINT,
    "KeyBatch": import_body([_NEW]),
    "KeyChanges": {"limits": {"rpm": None}, "tags": {"team": "ads"}},
    "NewVersion": new_version_body(_VERSION),
    "VersionEnd": {"expires_at": _NOW + _DAY},
    "Reason": {"reason": "leaked"},
    "KeysToRevoke": revocation_body([_SHA256], "leaked"),
    "Fingerprint": {"sha256": _SHA256},
    "Fingerprints": {"sha256": [_SHA256]},
    "UsageEvents": events_body([event_object(_EVENT)]),
}

REPLIES: Final[dict[str, JsonObject]] = {
    "Account": account_object(_ACCOUNT),
    "Key": key_object(_KEY, _NOW),
    # Cut, so that no scanner takes the page for a leak.
    "MintedKey": key_object(_KEY, _NOW) | {"value": "sk-AbCd(41 more characters)"},
    "KeyList": list_object([key_object(_KEY, _NOW)]) | {"counts": counts_object({KeyStatus.ACTIVE: 1})},
    "RevokedKey": revocation_object(_REVOCATION, _NOW),
    "RevocationList": list_object([{"target": _SHA256} | revocation_object(_REVOCATION, _NOW)]),
    "RegistrationList": list_object(
        [registration_object(result, _NOW) for result in (Registration(_KEY, created=True), _REFUSED)]
    ),
    "Verification": verdict_object(VerdictStatus.ACTIVE, _HINT, None, Verdict(VerdictStatus.ACTIVE, _KEY, 1), _NOW),
    "VerificationList": list_object(
        [verdict_object(VerdictStatus.ACTIVE, _HINT, None, Verdict(VerdictStatus.ACTIVE, _KEY, 1), _NOW)]
    ),
    "DeletedVersion": {"object": "api_key.version", "id": _ID, "version": 1, "deleted": True},
    "UsageEventList": list_object([event_object(_EVENT)]),
    "AppendedUsage": appended_object(Appended(1, 0)),
    "PrunedUsage": pruned_object(120_000),
    "UsageSummaryList": list_object([summary_object(_TRAFFIC, (Dimension.KEY, Dimension.HOUR), {_ID: "prod-backend"})]),
    "FindingList": list_object([finding_object(_FINDING)]),
    "TrailList": list_object([trail_object(_ENTRY)]),
}
