"""What is remembered of a call: who called with which key, what for, and what came of it. Never a secret."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from routic_cli.domain.key_format import PREFIX, contains_secret_shape
from routic_cli.domain.keys import KeyId, UnixSeconds
from routic_cli.domain.percent import SIGN, decoded, is_encoded
from routic_cli.domain.secret import Fingerprint

MASK: Final = "sk-…"
EVENT_ID_PREFIX: Final = "evt_"
BILLIONTHS: Final = 1_000_000_000
"""In one unit of a currency: a token costs a few millionths of a dollar, and sums must be exact."""
MOST_COST: Final = 1_000
"""Of one call, in the account's currency: what is more is a mistake, and would empty the account by itself."""
EARLIEST: Final = 1_420_070_400
"""2015-01-01: there was no such gateway before, and a call of that time is of a clock that was not set."""
AHEAD: Final = 86_400
"""In seconds: what a clock may be ahead of ours. A call of next year would be each key's last use for a year."""

_SECRET_LIKE: Final = re.compile(r"sk-[0-9A-Za-z_-]{20,}")
_EVENT_ID: Final = re.compile(rf"{EVENT_ID_PREFIX}([0-9a-f]{{16}})([0-9a-f]{{16}})")
_HALF: Final = 1 << 63
_SCHEME_AND_HOST: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


class Outcome(StrEnum):
    """What came of the question whether a call may pass. Finer than the error codes: an audit tells them apart."""

    ALLOWED = "allowed"
    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    IN_URL = "key_in_url"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"
    LACKS_SCOPE = "lacks_scope"
    LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    """A log says that the call was refused, and not why."""


USES: Final = frozenset({Outcome.ALLOWED, Outcome.LIMITED, Outcome.LACKS_SCOPE})
"""The outcomes of a key that is let in: somebody is using it."""


class Flag(StrEnum):
    """What is wrong with how a key travelled, even if it was let in."""

    KEY_IN_URL = "key_in_url"
    PLAIN_HTTP = "plain_http"


class UsageEvent(NamedTuple):
    """One call. `sha256` is set for a key that the store does not know, `key_id` and `version` for one that it does.

    `outcome` is "allowed" or why not: an `Outcome`, or an error's code where a log has no more. `path` is without its
    query, `flags` are names of `Flag`. `tokens_in`, `tokens_out`, `cost` (in billionths of the account's currency) and
    `model` come from logs that know them. `identity` tells two events of one second apart, and an event that comes
    twice from two; None until the store draws one. Numbers are of 64 bits.
    """

    time: UnixSeconds
    outcome: str
    method: str
    path: str
    status: int
    address: str
    agent: str
    request_id: str
    flags: tuple[str, ...] = ()
    key_id: KeyId | None = None
    version: int | None = None
    sha256: Fingerprint | None = None
    account: str | None = None
    origin: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: int | None = None
    model: str | None = None
    identity: int | None = None


class EventMark(NamedTuple):
    """The place of an event in the log: its second, and its identity within it."""

    time: UnixSeconds
    identity: int


def event_id(mark: EventMark) -> str:
    """`evt_` and 32 hexadecimal digits, in the order of the log."""
    return f"{EVENT_ID_PREFIX}{mark.time + _HALF:016x}{mark.identity + _HALF:016x}"


def event_mark(text: str) -> EventMark | None:
    """What `event_id` made the text of; None for any other text."""
    found = _EVENT_ID.fullmatch(text)
    return None if found is None else EventMark(int(found[1], 16) - _HALF, int(found[2], 16) - _HALF)


def path_in(uri: str) -> str:
    """The path of a URI, or of a whole URL: without query and fragment, in which callers put what is nobody's business.

    Nothing stays nothing.
    """
    if uri[:1] != "/":  # some proxies log the whole URL
        uri = _SCHEME_AND_HOST.sub("", uri, count=1) or (uri and "/")
    if "?" in uri or "#" in uri:
        uri = uri.partition("?")[0].partition("#")[0] or "/"
    return uri


def may_hold_key(text: str) -> bool:
    """Whether the text is worth a closer look: most are not, and this costs next to nothing."""
    return PREFIX in text or SIGN in text


def without_keys(text: str, longest: int) -> str:
    """The text as it may be stored: bounded, with whatever is shaped like a key masked, also one in percent signs."""
    # Masked before it is cut: the beginning of a key is not shaped like one any more.
    if may_hold_key(text):
        text = _masked(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _masked(text: str) -> str:
    """As it was written, unless there is a key in it: then decoded and masked."""
    plain = decoded(text)
    if is_encoded(plain):  # nobody can say what is in it
        return MASK
    return _SECRET_LIKE.sub(MASK, plain) if contains_secret_shape(plain) else text
