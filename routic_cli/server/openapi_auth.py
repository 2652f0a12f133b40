"""What the OpenAPI document says of /auth. Its examples are made by what makes the real answers."""

from __future__ import annotations

from collections.abc import Sequence
from json import loads
from typing import Final

from routic_cli.domain.admission import missing, over_limit, refused, unavailable, unknown
from routic_cli.domain.errors import RouticError, StoreLockedError
from routic_cli.domain.keys import Scope
from routic_cli.domain.rules import HIGHEST_RPM, HIGHEST_VERSION
from routic_cli.domain.usage import Outcome
from routic_cli.server.rate_limits import Quota
from routic_cli.server.replies import refusal
from routic_cli.server.schema_parts import KEY_ID, Schema, whole
from routic_cli.transport.wire.errors import http_status

_MASKED: Final = "sk-AbCd…WxYz"
_TEXT: Final[Schema] = {"type": "string"}
_LEFT: Final = Quota(passed=False, limit=60, remaining=0, wait=12.0)
_MEANING: Final = {
    401: "No key, or none that is good",
    403: "The key may not call the gateway",
    429: "Over the key's own limit",
    503: "The key could not be checked: let nobody pass",
}
_ERROR: Final[Schema] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"message": _TEXT, "type": _TEXT, "param": {"type": ["string", "null"]}, "code": _TEXT},
            "required": ["message", "type", "param", "code"],
        }
    },
    "required": ["error"],
}
_REFUSALS: Final = (
    missing(),
    unknown(_MASKED)[1],
    refused(Outcome.EXPIRED, _MASKED, 1),
    refused(Outcome.LACKS_SCOPE, _MASKED, 1),
    over_limit(60, 12),
    unavailable(StoreLockedError("The key store is locked")),
)
_PLAIN: Final = {"content-type", "content-length", "cache-control"}
_LIMITS: Final[dict[str, Schema]] = {
    "x-ratelimit-limit-requests": {"description": "Requests per minute.", "schema": whole(1, HIGHEST_RPM)},
    "x-ratelimit-remaining-requests": {"description": "How many are left.", "schema": whole(0, HIGHEST_RPM)},
    "x-ratelimit-reset-requests": {"description": "When another one is, as `12s` or `1m0s`.", "schema": _TEXT},
}


def described(request_id: Schema) -> dict[str, Schema]:
    """The path, for the document; `request_id` is the header that every reply has."""
    always = {"x-request-id": request_id}
    identity: dict[str, Schema] = {
        "X-Routic-Key-Id": {"required": True, "schema": KEY_ID},
        "X-Routic-Key-Name": {"required": True, "description": "Percent-encoded UTF-8.", "schema": _TEXT},
        "X-Routic-Key-Version": {"required": True, "schema": whole(1, HIGHEST_VERSION)},
    }
    by_status: dict[int, list[RouticError]] = {}
    for error in _REFUSALS:
        by_status.setdefault(http_status(error), []).append(error)
    operation: Schema = {
        "operationId": "auth",
        "tags": ["gateway"],
        "summary": "May a request with this key pass",
        "description": "For a gateway's forward-auth: any method, and any path that begins with `/auth/`. The key is"
        " in the Authorization header; X-Forwarded-*, of proxies that are trusted, say what was asked for.",
        "security": [{"bearer": [Scope.API.value]}],
        "x-scopes": Scope.API.value,
        "responses": {
            "200": {"description": "It may pass", "headers": always | identity | _LIMITS},
            **{str(status): _refused(status, errors, always) for status, errors in sorted(by_status.items())},
        },
    }
    return {"/auth": {"get": operation}}


def _refused(status: int, errors: Sequence[RouticError], always: dict[str, Schema]) -> Schema:
    answers = {error.code: refusal(error, _LEFT) for error in reversed(errors)}  # of one code, the first
    names = {name.decode() for _, sent, _ in answers.values() for name, _ in sent} - _PLAIN
    examples = {code: {"value": loads(body)} for code, (_, _, body) in sorted(answers.items())}
    return {
        "description": _MEANING[status],
        "headers": always | {name: {"schema": _TEXT} for name in sorted(names)},
        "content": {"application/json": {"schema": _ERROR, "examples": examples}},
    }
