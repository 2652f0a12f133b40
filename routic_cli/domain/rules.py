"""The rules that names, tags and limits of a key obey, the same on every store."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from routic_cli.domain.errors import InvalidNameError, InvalidRequestError
from routic_cli.domain.key_format import contains_secret_shape, is_hint
from routic_cli.domain.keys import KeyQuery, KeyTraits, NewKey, NewVersion, UnixSeconds, is_key_id, is_key_id_prefix
from routic_cli.domain.secret import is_fingerprint
from routic_cli.domain.times import LATEST

NAME_LENGTH: Final = 64
NAME_PUNCTUATION: Final = frozenset("._-")
_PLAIN_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")
_NAME_RULE: Final = (
    f"A name has 1 to {NAME_LENGTH} characters, a letter or digit first, then letters, digits, '.', '_' and '-'"
)

TAG_COUNT: Final = 32
TAG_VALUE_LENGTH: Final = 256
REASON_LENGTH: Final = 500
HIGHEST_RPM: Final = 1_000_000_000
HIGHEST_VERSION: Final = 1_000_000_000
_LONGEST_GLOB: Final = 1000
_TAG_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}")


def checked_name(text: str) -> str:
    """The name in Unicode normal form C, or InvalidNameError that says which character is wrong."""
    name = unicodedata.normalize("NFC", text)
    problem = _name_problem(name)
    if problem:
        raise InvalidNameError(problem, why=_NAME_RULE, param="name")
    return name


def is_letter_or_digit(char: str) -> bool:
    """Whether a name may begin with the character, in any script."""
    category = unicodedata.category(char)
    return category[0] == "L" or category == "Nd"


def _name_problem(name: str) -> str | None:
    if not name:
        return "The name is empty"
    if len(name) > NAME_LENGTH:
        return f"The name has {len(name)} characters"
    plain = _PLAIN_NAME.fullmatch(name) is not None  # nearly all are, and an import has a hundred thousand
    for position, char in enumerate("" if plain else name):
        if not is_letter_or_digit(char) and (position == 0 or char not in NAME_PUNCTUATION):
            shown = f"'{char}'" if char.isprintable() and char != " " else f"U+{ord(char):04X}"
            return f"The name has {shown} as character {position + 1}"
    if is_key_id_prefix(name):
        return "The name could be the beginning of a key id"
    if contains_secret_shape(name):
        return "The name is shaped like a secret"
    return None


def checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags sorted by name, or InvalidRequestError."""
    if len(tags) > TAG_COUNT:
        raise InvalidRequestError(f"A key has at most {TAG_COUNT} tags, not {len(tags)}", param="tag")
    for name, value in tags.items():
        if contains_secret_shape(name):
            raise InvalidRequestError("The name of a tag is shaped like a secret", param="tag")
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
    if rpm is not None and rpm > HIGHEST_RPM:
        raise InvalidRequestError(f"A limit is at most {HIGHEST_RPM} requests per minute", param="rpm")
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
        expires_at=checked_moment(traits.expires_at, "expires_at"),
    )


def checked_moment(at: UnixSeconds | None, field: str) -> UnixSeconds | None:
    """A time between 1970 and the year 9999, which is all that can be shown."""
    if at is not None and not 0 <= at <= LATEST:
        raise InvalidRequestError(f"'{field}' is out of range", why="A time lies between 1970 and 9999", param=field)
    return at


def require_future(at: UnixSeconds | None, now: UnixSeconds, field: str) -> None:
    """InvalidRequestError for an end that has come already: whoever asks for it means another one."""
    if at is not None and at <= now:
        raise InvalidRequestError(
            f"'{field}' lies in the past", why="A key that nobody is let in with was not meant", param=field
        )


def checked_query(query: KeyQuery) -> KeyQuery:
    """The query with its pattern in the normal form of names; InvalidRequestError for a text that no store can take."""
    glob = None if query.name_glob is None else unicodedata.normalize("NFC", query.name_glob)
    if glob is not None and len(glob) > _LONGEST_GLOB:
        raise InvalidRequestError(f"A pattern has at most {_LONGEST_GLOB} characters", param="name")
    if any(_is_broken(text) for text in (glob or "", *query.tags, *query.tags.values())):
        raise InvalidRequestError("The query has a text in it that is not Unicode")
    return replace(query, name_glob=glob)


def _is_broken(text: str) -> bool:
    """Whether half a character is in it: what Python makes of bytes that are not UTF-8, and JSON of a lone escape."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def checked_version(version: NewVersion) -> NewVersion:
    """The version, once it is sure that its hash is a hash and its hint a mask: a secret must not pass for either."""
    if not is_fingerprint(version.sha256):
        raise InvalidRequestError("'sha256' is not a SHA-256 in lowercase hexadecimal", param="sha256")
    if not is_hint(version.hint):
        raise InvalidRequestError("'hint' is no mask such as sk-AbCd…WxYz", param="hint")
    if not 1 <= version.number <= HIGHEST_VERSION:
        raise InvalidRequestError("Versions are numbered from 1", param="version")
    checked_moment(version.created_at, "created_at")
    return version


def checked_key(new: NewKey) -> NewKey:
    """The key with every part checked and in normal form."""
    if not is_key_id(new.id):
        raise InvalidRequestError("'id' is not a key id", param="id")
    if new.version.number != 1:
        raise InvalidRequestError("A key begins with version 1", param="version")
    return NewKey(new.id, checked_traits(new.traits), checked_version(new.version))
