"""May this key pass? The decision, and what is said to whom it keeps out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from routic_cli.domain.errors import (
    CredentialError,
    ExpiredCredentialError,
    InsufficientScopeError,
    InvalidCredentialError,
    MissingCredentialError,
    RateLimitedError,
    RouticError,
    UnavailableError,
)
from routic_cli.domain.key_format import PREFIX, defect_of, hint_of
from routic_cli.domain.keys import Key, KeyStatus, Scope, UnixSeconds, VersionStatus
from routic_cli.domain.lifecycle import key_status, version_status
from routic_cli.domain.usage import Outcome

_NOT_DONE: Final = "The request was not passed on"
_HOW: Final = "Send 'Authorization: Bearer sk-…'"
NEVER: Final = 1 << 62
"""A time that does not come."""


class Judgement(NamedTuple):
    """What is decided of a key, and in which seconds that holds as long as the key is not changed."""

    outcome: Outcome
    since: UnixSeconds
    until: UnixSeconds


def judge(key: Key, number: int, now: UnixSeconds) -> Judgement:
    """Whether a version of the key may call the gateway. The key's own `status` is not asked: it was true when read."""
    version = next(each for each in key.versions if each.number == number)
    status = key_status(revoked_at=key.revoked_at, expires_at=key.traits.expires_at, now=now)
    if status is KeyStatus.REVOKED:
        outcome = Outcome.REVOKED
    elif status is KeyStatus.EXPIRED:
        outcome = Outcome.EXPIRED
    elif version_status(replace(key, status=status), version, now) is VersionStatus.ENDED:
        outcome = Outcome.REPLACED
    elif Scope.API in key.traits.scopes or Scope.ADMIN in key.traits.scopes:
        outcome = Outcome.ALLOWED
    else:
        outcome = Outcome.LACKS_SCOPE
    ends = (key.traits.expires_at, version.expires_at)
    return Judgement(outcome, now, min((end for end in ends if end is not None and end > now), default=NEVER))


def mask_of(text: str) -> str:
    """What may be shown of a text that was sent as a key: nothing, of what does not even look like one."""
    return hint_of(text) if text.startswith(PREFIX) else "…"


def missing() -> RouticError:
    """No key came with the request."""
    return MissingCredentialError(
        "No API key was sent", why=f"There is no Authorization header. {_HOW}", not_done=_NOT_DONE
    )


def not_bearer() -> RouticError:
    """An Authorization header of another scheme."""
    return InvalidCredentialError(
        "The Authorization header has no Bearer token", why=f"Its scheme must be Bearer. {_HOW}", not_done=_NOT_DONE
    )


def two_headers() -> RouticError:
    """More than one Authorization header: who reads the first and who reads the last would let in different keys."""
    return InvalidCredentialError(
        "More than one Authorization header was sent",
        why=f"Only one key can be asked about. {_HOW}",
        not_done=_NOT_DONE,
    )


def in_url() -> RouticError:
    """The key came in the URL, and nowhere else."""
    return InvalidCredentialError(
        "An API key was sent in the URL",
        why=f"URLs are kept in logs and histories, so it is not accepted there. {_HOW}, and replace this key",
        not_done=_NOT_DONE,
    )


def unknown(text: str) -> tuple[Outcome, RouticError]:
    """A text that is no key of the store: not copied completely, or of somebody else."""
    defect = defect_of(text)
    if defect is None:
        return Outcome.UNKNOWN, InvalidCredentialError(
            f"Incorrect API key provided: {mask_of(text)}", why="No such key is known here", not_done=_NOT_DONE
        )
    return Outcome.MALFORMED, InvalidCredentialError(
        f"Incorrect API key provided: {mask_of(text)}",
        why=f"It is malformed or not copied completely: {defect}",
        not_done=_NOT_DONE,
    )


def refused(outcome: Outcome, text: str, number: int) -> RouticError:
    """What is said of a key that is known and may not pass. `text` is what was sent; only its mask is used."""
    mask = mask_of(text)
    if outcome is Outcome.REVOKED:
        return ExpiredCredentialError(
            f"The API key {mask} was revoked", why="It has ended for good", not_done=_NOT_DONE
        )
    if outcome is Outcome.EXPIRED:
        return ExpiredCredentialError(f"The API key {mask} has expired", why="Its end has come", not_done=_NOT_DONE)
    if outcome is Outcome.REPLACED:
        return ExpiredCredentialError(
            f"The API key {mask} has expired",
            why=f"It is version {number} of a key that was rotated: use the newest",
            not_done=_NOT_DONE,
        )
    return InsufficientScopeError(
        f"The API key {mask} may not call the gateway", why=f"It lacks the scope '{Scope.API}'", not_done=_NOT_DONE
    )


def over_limit(rpm: int, wait: int) -> RouticError:
    """More requests than the key's own limit lets through."""
    return RateLimitedError(
        f"Rate limit reached for this API key: {rpm} requests per minute",
        why=f"The next one passes in {wait} s",
        not_done=_NOT_DONE,
    )


def unavailable(cause: RouticError) -> RouticError:
    """The store could not be asked. Where it is and what is wrong with it is for the operator, not for the caller."""
    return UnavailableError(
        "The API key could not be checked",
        why=f"The gateway's key store cannot be read now ({cause.code})",
        not_done=_NOT_DONE,
    )


def challenge_of(error: RouticError) -> str | None:
    """The WWW-Authenticate header that goes with an error, as RFC 6750 has it."""
    if isinstance(error, InsufficientScopeError):
        return f'Bearer realm="routic", error="insufficient_scope", scope="{Scope.API}"'
    if isinstance(error, MissingCredentialError):
        return 'Bearer realm="routic"'
    if isinstance(error, CredentialError):
        return 'Bearer realm="routic", error="invalid_token"'
    return None
