"""The one type that carries a secret, and what may be known of it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final, NewType, NoReturn

from routic_cli.domain.key_format import hint_of

Fingerprint = NewType("Fingerprint", str)
"""SHA-256 of a secret's UTF-8 text, 64 lowercase hexadecimal characters: all that a store knows of it."""

FINGERPRINT_LENGTH: Final = 64
_LOWERCASE_HEX: Final = frozenset("0123456789abcdef")


def is_fingerprint(text: str) -> bool:
    """Whether the text has the form of a fingerprint."""
    return len(text) == FINGERPRINT_LENGTH and _LOWERCASE_HEX.issuperset(text)


def fingerprint_of(text: str) -> Fingerprint:
    """The fingerprint of a secret's text."""
    return Fingerprint(hashlib.sha256(text.encode()).hexdigest())


class Secret:
    """A secret in memory: shows a mask wherever it is printed, and cannot be copied out by accident.

    Only `reveal()` gives the text; a test lists the places that call it.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself. Every caller is listed in tests/unit/test_secret.py."""
        return self.__text

    @property
    def hint(self) -> str:
        """The mask, fit to be shown anywhere."""
        return hint_of(self.__text)

    @property
    def fingerprint(self) -> Fingerprint:
        """What the store knows it by."""
        return fingerprint_of(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]  # a dict of secrets would keep them alive and compare them by timing

    def __repr__(self) -> str:
        return f"Secret({self.hint})"

    def __str__(self) -> str:
        return self.hint

    def __format__(self, format_spec: str) -> str:
        return format(self.hint, format_spec)

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("a secret is not copied or serialised")

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse
