"""What a REF may be, before any store is asked: no secret, no hint, nothing that cannot be typed."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.errors import InvalidRequestError, KeyNotFoundError, SecretInArgumentError
from routic_cli.domain.key_format import contains_secret_shape, is_hint

_LONGEST: Final = 1000


def checked_ref(ref: str) -> str:
    """The REF; SecretInArgumentError for a secret, KeyNotFoundError for what no store could know."""
    if contains_secret_shape(ref):
        raise SecretInArgumentError(
            "A secret names no key",
            why="Where a name is expected, it may be logged",
            not_done="Nothing was done",
            remedy="routic keys verify, which reads it from standard input",
            param="ref",
        )
    if not ref.isprintable():  # no name has such a character, and half a character can be asked of no store
        raise no_such_key(ref)
    if len(ref) > _LONGEST:
        raise no_such_key(f"{ref[:_LONGEST]}…")
    return ref


def refuse_hint(ref: str) -> None:
    """InvalidRequestError when the REF is the mask of a secret."""
    if is_hint(ref):
        raise InvalidRequestError(
            "A hint names no key",
            why="Several keys may share one",
            remedy="routic keys list --all, and take the id beside the hint",
            param="ref",
        )


def no_such_key(ref: str, *close: str) -> KeyNotFoundError:
    """What is said of a REF that nothing answers to; `close` are names that may have been meant."""
    return KeyNotFoundError(
        f"No key is called '{ref}'",
        why=f"Did you mean {' or '.join(close)}?" if close else "Neither a name nor the beginning of an id matches",
        not_done="Nothing was done",
        remedy="routic keys list --all",
        param="ref",
    )
