"""Everything that can go wrong, named for what the user can do about it.

RouticError                      1    failed for another reason
 ├─ InvalidRequestError          2    a wrong flag, name, date or field
 │   ├─ InvalidNameError
 │   ├─ TooManyRowsError              of usage: a limit or a shorter time is needed
 │   ├─ SecretInArgumentError         a key was typed where everyone can read it
 │   └─ ConfirmationNeededError       destructive, nobody to ask, no --yes
 ├─ KeyNotFoundError             3
 ├─ CredentialError              4    the admin credential is not good enough
 │   ├─ MissingCredentialError        none was sent, or none is known here
 │   ├─ InvalidCredentialError        malformed, unknown, or no Bearer token
 │   ├─ ExpiredCredentialError        expired or revoked
 │   └─ InsufficientScopeError        it lacks the scope (HTTP 403)
 ├─ ConflictError                5
 │   ├─ NameTakenError
 │   ├─ AmbiguousRefError
 │   ├─ KeyExistsError                this secret, or this id with another secret, is registered
 │   └─ KeyGoneError                  revoked or given up: gone for good (HTTP 410)
 ├─ UnsafeDestinationError       6    a file that others can read, or git would publish
 ├─ UnavailableError             7    try again
 │   ├─ StoreLockedError
 │   ├─ RateLimitedError              too many requests (HTTP 429)
 │   └─ OutcomeUnknownError           the write was sent, the answer was lost
 ├─ PartialFailureError          8    part of a batch failed
 ├─ StoreDamagedError           10
 │   ├─ StoreForeignError
 │   └─ StoreNewerError
 ├─ DeliveryError                1    the secret could not be put where it was asked for
 │   └─ DeliveryTimeoutError          nobody took it within the time allowed
 ├─ SecretUnreadableError       1    no place on this machine holds the current secret
 └─ InterruptedByUserError     130    a signal, or "no" at the prompt
"""

from __future__ import annotations

from typing import ClassVar


class RouticError(Exception):
    """What happened, why, what did not happen, and the command that mends it.

    `code` is the stable slug that the admin API and `--json` carry; `exit_code` is the contract with scripts.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1
    may_have_happened: bool = False
    """Whether an earlier request of the same may still arrive, or has: a conflict answers the last one only."""

    def __init__(
        self, what: str, *, why: str = "", not_done: str = "", remedy: str = "", param: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.not_done = not_done
        self.remedy = remedy
        self.param = param

    def sentences(self) -> list[str]:
        """All that is said beside the remedy, each a sentence without its full stop."""
        return [part.rstrip(".") for part in (self.what, self.why, self.not_done) if part]


class InvalidRequestError(RouticError):
    """The request itself is wrong; asking again will not help."""

    code = "invalid_request"
    exit_code = 2


class InvalidNameError(InvalidRequestError):
    """The name breaks the rules of names."""

    code = "invalid_name"


class TooManyRowsError(InvalidRequestError):
    """The answer would have more rows than a reply holds."""

    code = "too_many_rows"


class SecretInArgumentError(InvalidRequestError):
    """An argument has the shape of a key: the process list and the shell history have it now."""

    code = "secret_in_argument"


class ConfirmationNeededError(InvalidRequestError):
    """Destructive, and there is no terminal to ask at."""

    code = "confirmation_required"


class KeyNotFoundError(RouticError):
    """No key by that name or id."""

    code = "key_not_found"
    exit_code = 3


class CredentialError(RouticError):
    """The admin credential is not good enough. Its codes are those that the gateway's users know from HTTP 401."""

    code = "invalid_credential"
    exit_code = 4


class MissingCredentialError(CredentialError):
    """No credential was sent, or none is known for this store."""

    code = "missing_api_key"


class InvalidCredentialError(CredentialError):
    """The credential is malformed, or no key of the store."""

    code = "invalid_api_key"


class ExpiredCredentialError(CredentialError):
    """The credential has expired or was revoked."""

    code = "expired_api_key"


class InsufficientScopeError(CredentialError):
    """The credential is good, and may not do this."""

    code = "insufficient_permissions"


class ConflictError(RouticError):
    """The store holds something that contradicts the request."""

    code = "conflict"
    exit_code = 5


class NameTakenError(ConflictError):
    """A live key of the account has the name."""

    code = "name_taken"


class AmbiguousRefError(ConflictError):
    """More than one key answers to the reference."""

    code = "ambiguous_ref"


class KeyExistsError(ConflictError):
    """The secret is registered already, or the id is registered with another secret."""

    code = "key_exists"


class KeyGoneError(ConflictError):
    """Revoked, or given up before it was registered: no later request can bring it to life."""

    code = "key_gone"


class UnsafeDestinationError(RouticError):
    """Others can read the place, or git would publish it."""

    code = "unsafe_destination"
    exit_code = 6


class UnavailableError(RouticError):
    """Nothing is wrong with the request; try again."""

    code = "unavailable"
    exit_code = 7


class StoreLockedError(UnavailableError):
    """Another process kept the store locked for longer than we wait."""

    code = "store_locked"


class RateLimitedError(UnavailableError):
    """More requests than the key's own limit allows."""

    code = "rate_limit_exceeded"


class OutcomeUnknownError(UnavailableError):
    """The write was sent and the answer was lost: it may have happened. Ask again before saying anything."""

    code = "outcome_unknown"
    may_have_happened = True


class PartialFailureError(RouticError):
    """Part of a batch failed; each item has been reported."""

    code = "partial_failure"
    exit_code = 8


class StoreDamagedError(RouticError):
    """The file is not a store that can be trusted. It has not been touched."""

    code = "store_damaged"
    exit_code = 10


class StoreForeignError(StoreDamagedError):
    """The file belongs to another program."""

    code = "store_foreign"


class StoreNewerError(StoreDamagedError):
    """The file was written by a newer routic."""

    code = "store_newer"


class DeliveryError(RouticError):
    """The secret could not be put where it was asked for."""

    code = "delivery_failed"


class DeliveryTimeoutError(DeliveryError):
    """The destination did not take the secret in the time allowed."""

    code = "delivery_timeout"


class SecretUnreadableError(RouticError):
    """No place on this machine holds the current secret of the key."""

    code = "secret_unreadable"


class InterruptedByUserError(RouticError):
    """A signal, or "no" at the prompt."""

    code = "interrupted"
    exit_code = 130
