"""Errors as JSON and back: the same class, the same words, on both sides of the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from routic_cli.domain.errors import (
    ConflictError,
    CredentialError,
    InsufficientScopeError,
    InvalidRequestError,
    KeyGoneError,
    KeyNotFoundError,
    RateLimitedError,
    RouticError,
    UnavailableError,
)

# The most special class first.
_STATUS: Final[tuple[tuple[type[RouticError], int], ...]] = (
    (InvalidRequestError, 400),
    (InsufficientScopeError, 403),
    (CredentialError, 401),
    (KeyNotFoundError, 404),
    (KeyGoneError, 410),
    (ConflictError, 409),
    (RateLimitedError, 429),
    (UnavailableError, 503),
    (RouticError, 500),
)


def http_status(error: RouticError) -> int:
    """The status of the reply that carries the error."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def error_object(error: RouticError) -> dict[str, object]:
    """The API's error object. `message` is all that there is to say; the other texts are its parts."""
    message = " ".join(s if s.endswith("?") else f"{s}." for s in error.sentences())
    inner: dict[str, object] = {
        "message": message,
        "type": _error_type(error),
        "param": error.param,
        "code": error.code,
        "what": error.what,
    }
    parts = {"why": error.why, "not_done": error.not_done, "remedy": error.remedy}
    return {"error": inner | {name: text for name, text in parts.items() if text}}


def error_from(data: object, status: int) -> RouticError | None:
    """The error that an error object tells of; None when the data is none. `status` decides for a code unknown here."""
    inner = data.get("error") if isinstance(data, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("code"), str):
        return None
    texts = {name: inner[name] for name in ("what", "why", "not_done", "remedy", "param") if _is_text(inner, name)}
    what = texts.pop("what", None) or str(inner.get("message") or f"The server answered {status}")
    return _class_of(inner["code"], status)(what, **texts)


def _is_text(inner: Mapping[str, object], name: str) -> bool:
    return isinstance(inner.get(name), str)


def _class_of(code: str, status: int) -> type[RouticError]:
    for kind in _all_classes(RouticError):
        if kind.code == code:
            return kind
    return next((kind for kind, its_status in _STATUS if its_status == status), RouticError)


def _all_classes(base: type[RouticError]) -> Iterator[type[RouticError]]:
    yield base
    for kind in base.__subclasses__():
        yield from _all_classes(kind)


def _error_type(error: RouticError) -> str:
    if isinstance(error, CredentialError):
        return "authentication_error"
    if isinstance(error, InvalidRequestError | KeyNotFoundError | ConflictError):
        return "invalid_request_error"
    if isinstance(error, RateLimitedError):
        return "rate_limit_error"
    if isinstance(error, UnavailableError):
        return "unavailable_error"
    return "routic_error"
