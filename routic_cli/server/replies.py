"""What is refused, as it is answered; and to a gateway the headers of what may pass."""

from __future__ import annotations

import json
from math import ceil
from typing import Final
from urllib.parse import quote

from routic_cli.domain.admission import challenge_of
from routic_cli.domain.errors import (
    CredentialError,
    InvalidRequestError,
    RateLimitedError,
    RouticError,
    UnavailableError,
)
from routic_cli.domain.keys import Key
from routic_cli.server.rate_limits import Quota
from routic_cli.transport.wire.errors import error_object, http_status

Headers = list[tuple[bytes, bytes]]

# A reply that was kept would outlive a revocation.
_NO_STORE: Final = (b"cache-control", b"no-store")
_OPENAI_FIELDS: Final = ("message", "type", "param", "code")
_MINUTE: Final = 60


TOO_LARGE: Final = 413
"""The status of a body with more bytes than its route takes."""

BODY_TOO_LARGE: Final = "body_too_large"


def too_large(largest: int) -> dict[str, object]:
    """The error object of such a body. No error class has its code: only a server ever says it."""
    error = InvalidRequestError(f"The body is larger than {largest} bytes", not_done="Nothing was done")
    whole = error_object(error)["error"]
    return {"error": {**whole, "code": BODY_TOO_LARGE} if isinstance(whole, dict) else whole}


def identity_headers(key: Key, number: int) -> Headers:
    """Who passes. The name is percent-encoded UTF-8; of a name in ASCII nothing needs to be."""
    return [
        (b"x-routic-key-id", key.id.encode()),
        (b"x-routic-key-name", quote(key.name, safe="").encode()),
        (b"x-routic-key-version", b"%d" % number),
        (b"content-length", b"0"),
        _NO_STORE,
    ]


def quota_headers(quota: Quota) -> Headers:
    """How much of the limit is left, in OpenAI's headers and formats: `12s`, `1m0s`."""
    return [
        (b"x-ratelimit-limit-requests", b"%d" % quota.limit),
        (b"x-ratelimit-remaining-requests", b"%d" % quota.remaining),
        (b"x-ratelimit-reset-requests", _duration(quota.wait)),
    ]


def wait_of(quota: Quota) -> int:
    """Whole seconds until another request passes: at least one, as `Retry-After: 0` would be asked again at once."""
    return max(1, ceil(quota.wait))


def _duration(seconds: float) -> bytes:
    minutes, rest = divmod(max(0, ceil(seconds)), _MINUTE)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest


def refusal(error: RouticError, quota: Quota | None) -> tuple[int, Headers, bytes]:
    """Status, headers and body of a refusal.

    nginx's `auth_request` throws the body away and knows only 401 and 403: so the whole error object is in a header
    too, on one line of ASCII, and the status beside it; a gateway builds its own reply from both.
    """
    status = http_status(error)
    whole = error_object(error)["error"]
    inner = {name: whole[name] for name in _OPENAI_FIELDS} if isinstance(whole, dict) else {}
    body = json.dumps({"error": inner}, separators=(",", ":")).encode("ascii")
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        _NO_STORE,
        (b"x-routic-error", body),
        (b"x-routic-status", b"%d" % status),
    ]
    challenge = challenge_of(error)
    if challenge is not None:
        headers.append((b"www-authenticate", challenge.encode("ascii")))
    if isinstance(error, CredentialError):  # the openai client obeys: no second attempt with the same key
        headers.append((b"x-should-retry", b"false"))
    if isinstance(error, RateLimitedError) and quota is not None:
        headers += [(b"retry-after", b"%d" % wait_of(quota)), *quota_headers(quota)]
    elif isinstance(error, UnavailableError):
        headers.append((b"retry-after", b"1"))
    return status, headers, body
