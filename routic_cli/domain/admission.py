"""May this key call the gateway: the answers of the auth endpoint, before anything is known of HTTP headers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from routic_cli.domain.key_format import defect_of, hint_of
from routic_cli.domain.keys import Key, KeyId, Scope, UnixSeconds


class Denial(Enum):
    """Why a request is turned away: the code that clients know, the HTTP status, OpenAI's type of error."""

    MISSING = ("missing_api_key", 401, "invalid_request_error")
    INVALID = ("invalid_api_key", 401, "invalid_request_error")
    EXPIRED = ("expired_api_key", 401, "invalid_request_error")
    FORBIDDEN = ("insufficient_permissions", 403, "invalid_request_error")
    LIMITED = ("rate_limit_exceeded", 429, "requests")
    UNAVAILABLE = ("unavailable", 503, "server_error")

    @property
    def code(self) -> str:
        """The slug in the error object."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[1]

    @property
    def type(self) -> str:
        """The `type` in the error object."""
        return self.value[2]


ALLOWED: Final = "allowed"

NO_HEADER: Final = "You didn't provide an API key. Send it in the header 'Authorization: Bearer sk-…'."
ONLY_IN_URL: Final = (
    "The API key came in the URL, where logs and histories keep it. Send it in the header 'Authorization: Bearer sk-…',"
    " and replace this one: it has been seen."
)
NOT_BEARER: Final = "The Authorization header must be 'Bearer' and one API key."
FORBIDDEN: Final = "This API key may not call the gateway: it lacks the scope 'api'."
UNAVAILABLE: Final = "API keys cannot be checked at the moment. Try again."


@dataclass(frozen=True, slots=True)
class Admission:
    """What is known of one secret of a key, until the store changes. `ends_at` is the end of the key or the version."""

    key_id: KeyId
    name: str
    version: int
    account: str
    revoked: bool
    ends_at: UnixSeconds | None
    may_call: bool
    rpm: int | None

    def denial(self, now: UnixSeconds) -> Denial | None:
        """Why a request with this secret is turned away; None when it is let in, its limit aside."""
        if self.revoked or (self.ends_at is not None and self.ends_at <= now):
            return Denial.EXPIRED
        return None if self.may_call else Denial.FORBIDDEN


def admission_of(key: Key, number: int, account: str) -> Admission:
    """What a version of a key is worth."""
    version = next(each for each in key.versions if each.number == number)
    ends = [at for at in (key.traits.expires_at, version.expires_at) if at is not None]
    return Admission(
        key_id=key.id,
        name=key.name,
        version=number,
        account=account,
        revoked=key.revoked_at is not None,
        ends_at=min(ends, default=None),
        may_call=Scope.API in key.traits.scopes or Scope.ADMIN in key.traits.scopes,
        rpm=key.traits.rpm,
    )


def unknown_key(text: str) -> str:
    """What is said of a key that the store does not have: at most its mask."""
    mask = hint_of(text) if text.isascii() else "sk-…"
    if defect_of(text) is not None:
        return f"Incorrect API key provided: {mask}. It is malformed or not copied completely."
    return f"Incorrect API key provided: {mask}."


def ended_key(text: str, *, revoked: bool) -> str:
    """What is said of a key that is no longer let in."""
    return f"The API key {hint_of(text)} {'was revoked' if revoked else 'has expired'}."


def limited(rpm: int, seconds: int) -> str:
    """What is said of a request over the key's own limit."""
    return f"This API key may call {rpm} times a minute. Try again in {seconds} s."
