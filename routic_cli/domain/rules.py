"""The rules that names, tags and limits of a key obey, the same on every store."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from routic_cli.domain.errors import InvalidNameError, InvalidRequestError
from routic_cli.domain.key_format import contains_secret_shape
from routic_cli.domain.keys import KeyTraits, is_key_id

NAME_LENGTH: Final = 64
_NAME_PUNCTUATION: Final = frozenset("._-")
_NAME_RULE: Final = (
    f"A name has 1 to {NAME_LENGTH} characters, a letter or digit first, then letters, digits, '.', '_' and '-'"
)

TAG_COUNT: Final = 32
TAG_VALUE_LENGTH: Final = 256
REASON_LENGTH: Final = 500
_TAG_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}")


def checked_name(text: str) -> str:
    """The name in Unicode normal form C, or InvalidNameError that says which character is wrong."""
    name = unicodedata.normalize("NFC", text)
    problem = _name_problem(name)
    if problem:
        raise InvalidNameError(problem, why=_NAME_RULE, param="name")
    return name


def _name_problem(name: str) -> str | None:
    if not name:
        return "The name is empty"
    if len(name) > NAME_LENGTH:
        return f"The name has {len(name)} characters"
    for position, char in enumerate(name):
        letter_or_digit = unicodedata.category(char)[0] == "L" or unicodedata.category(char) == "Nd"
        if not letter_or_digit and (position == 0 or char not in _NAME_PUNCTUATION):
            shown = f"'{char}'" if char.isprintable() and char != " " else f"U+{ord(char):04X}"
            return f"The name has {shown} as character {position + 1}"
    if is_key_id(name):
        return "The name is shaped like a key id"
    if contains_secret_shape(name):
        return "The name is shaped like a secret"
    return None


def checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags sorted by name, or InvalidRequestError."""
    if len(tags) > TAG_COUNT:
        raise InvalidRequestError(f"A key has at most {TAG_COUNT} tags, not {len(tags)}", param="tag")
    for name, value in tags.items():
        if _TAG_NAME.fullmatch(name) is None:
            raise InvalidRequestError(
                f"'{name}' cannot name a tag",
                why="A tag's name has 1 to 63 letters, digits, '.', '_', '/' and '-', a letter or digit first",
                param="tag",
            )
        if len(value) > TAG_VALUE_LENGTH or not value.isprintable():
            raise InvalidRequestError(
                f"The value of the tag '{name}' cannot be kept",
                why=f"A value has at most {TAG_VALUE_LENGTH} characters, all of them printable",
                param="tag",
            )
        if contains_secret_shape(value):
            raise InvalidRequestError(f"The value of the tag '{name}' is shaped like a secret", param="tag")
    return dict(sorted(tags.items()))


def checked_rpm(rpm: int | None) -> int | None:
    """Requests per minute, at least 1; None is no limit of the key's own."""
    if rpm is not None and rpm < 1:
        raise InvalidRequestError(
            "A limit of no requests per minute would lock the key out",
            why="--rpm takes a whole number from 1",
            remedy="routic keys revoke REF, to end the key for good",
            param="rpm",
        )
    return rpm


def checked_reason(reason: str | None) -> str | None:
    """The reason of a revocation: one printable line that holds no secret."""
    if reason is None:
        return None
    if len(reason) > REASON_LENGTH or not reason.isprintable():
        raise InvalidRequestError(
            f"A reason is one line of at most {REASON_LENGTH} printable characters", param="reason"
        )
    if contains_secret_shape(reason):
        raise InvalidRequestError("The reason has a text in it that is shaped like a secret", param="reason")
    return reason


def checked_traits(traits: KeyTraits) -> KeyTraits:
    """The traits with every part checked and in normal form."""
    if not traits.scopes:
        raise InvalidRequestError("A key needs at least one scope", param="scope")
    return KeyTraits(
        name=checked_name(traits.name),
        tags=checked_tags(traits.tags),
        scopes=tuple(sorted(set(traits.scopes))),
        rpm=checked_rpm(traits.rpm),
        expires_at=traits.expires_at,
    )
