"""The key of a logged request: where it was, and its hash. What it was is forgotten here.

The caches are of a fixed size, live as long as the import, and are the only thing that ever holds a raw key.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from routic_cli.domain.key_format import PREFIX, contains_secret_shape, is_well_formed
from routic_cli.domain.percent import decoded
from routic_cli.domain.secret import Fingerprint, fingerprint_of
from routic_cli.domain.usage import Flag, Outcome, may_hold_key, path_in, without_keys

REMEMBERED: Final = 8192
"""How many of what repeats from line to line is kept in memory."""

_SHORTEST: Final = 16  # of a key that is none of ours: the hash of less could be guessed
_LONGEST_PATH: Final = 512
_HIDDEN: Final = frozenset({"REDACTED", "[REDACTED]", "***", "*", "XXX"})
_OURS: Final = re.compile(r"(?=(sk-[0-9A-Za-z]{45}))")
_LIKE_OURS: Final = re.compile(r"(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{13,}")
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 401, 403, 429

# Plain texts: an event goes from one process to another, which enumerations do not.
_ALLOWED, _MISSING, _MALFORMED, _REFUSED, _IN_URL, _LACKS_SCOPE, _LIMITED = (
    each.value
    for each in (
        Outcome.ALLOWED,
        Outcome.MISSING,
        Outcome.MALFORMED,
        Outcome.REFUSED,
        Outcome.IN_URL,
        Outcome.LACKS_SCOPE,
        Outcome.LIMITED,
    )
)
_FLAGS: Final[dict[tuple[bool, bool], tuple[str, ...]]] = {
    (False, False): (),
    (False, True): (Flag.PLAIN_HTTP.value,),
    (True, False): (Flag.KEY_IN_URL.value,),
    (True, True): (Flag.KEY_IN_URL.value, Flag.PLAIN_HTTP.value),
}


class Presented(NamedTuple):
    """What came as a credential: whether anything did, the hash of what may be a key, whether it is one of ours."""

    is_there: bool
    sha256: Fingerprint | None
    is_well_formed: bool


class Asked(NamedTuple):
    """What a request asked for: the path without its query, and the hash of a key that was written into the URL."""

    path: str
    sha256: Fingerprint | None
    has_key: bool


NOTHING: Final = Presented(is_there=False, sha256=None, is_well_formed=False)
_WITHHELD: Final = Presented(is_there=True, sha256=None, is_well_formed=True)
"""A log that says that there was one, and no more."""
_OTHER_SCHEME: Final = Presented(is_there=True, sha256=None, is_well_formed=False)


@lru_cache(REMEMBERED)
def in_authorization(header: str) -> Presented:
    """What an Authorization header has."""
    header = header.strip()
    if not header or header == "-":
        return NOTHING
    if header in _HIDDEN:
        return _WITHHELD
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return _OTHER_SCHEME
    return _key(token.strip())


@lru_cache(REMEMBERED)
def in_key_header(header: str) -> Presented:
    """What a header of the key alone has, such as X-Api-Key."""
    return _key(header.strip())


def in_uri(uri: str) -> Asked:
    """What the URI of a request has, whole or without its query."""
    is_path = uri[:1] == "/" and "?" not in uri and "#" not in uri
    if is_path and not may_hold_key(uri) and len(uri) <= _LONGEST_PATH:
        return Asked(uri, None, has_key=False)
    return _in_any_uri(uri)


def outcome_of(status: int, key: Presented, asked: Asked) -> str:
    """What a status says of the key; whether a refused one had ended is for the store to tell."""
    if status < _UNAUTHORIZED:
        return _ALLOWED
    if status == _UNAUTHORIZED:
        if key.is_there:
            return _REFUSED if key.is_well_formed else _MALFORMED
        return _IN_URL if asked.has_key else _MISSING
    if status == _FORBIDDEN:
        return _LACKS_SCOPE
    return _LIMITED if status == _TOO_MANY else _ALLOWED


def flags_of(asked: Asked, *, plain_http: bool) -> tuple[str, ...]:
    """What is wrong with how the key travelled."""
    return _FLAGS[asked.has_key, plain_http]


def masked(value: str) -> str:
    """A text of the line with anything shaped like a key masked: nothing else of it may leave the line."""
    return without_keys(value, len(value)) if may_hold_key(value) else value


def _key(token: str) -> Presented:
    if not token or token == "-":  # noqa: S105  # what nginx writes for nothing
        return NOTHING
    if token in _HIDDEN:
        return _WITHHELD
    if not token.startswith(PREFIX) and len(token) < _SHORTEST:
        return _OTHER_SCHEME
    return Presented(is_there=True, sha256=_hash(token), is_well_formed=is_well_formed(token))


def _hash(token: str) -> Fingerprint:
    return fingerprint_of(token.encode("utf-8", "backslashreplace").decode())  # half a surrogate pair has no bytes


@lru_cache(REMEMBERED)
def _in_any_uri(uri: str) -> Asked:
    key = _key_in(decoded(uri))
    path = without_keys(path_in(uri) or "/", _LONGEST_PATH)
    return Asked(path, None if key is None else _hash(key), has_key=key is not None)


def _key_in(text: str) -> str | None:
    """The key in a text: one of ours, whatever it is glued to, or else what is shaped like anybody's."""
    if PREFIX not in text or not contains_secret_shape(text):
        return None
    ours = next((match[1] for match in _OURS.finditer(text) if is_well_formed(match[1])), None)
    if ours is not None:
        return ours
    found = next((match[0] for match in _LIKE_OURS.finditer(text) if contains_secret_shape(match[0])), None)
    return found or text[text.index(PREFIX) :]
