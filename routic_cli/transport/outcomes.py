"""How one attempt to ask an admin API ended, and what may be believed of it.

answered    the API itself replied: its word counts, success or error
Refused     the request cannot have been carried out: no connection, no valid certificate, a redirect
Lost        it may have been carried out: time-out, half a reply, a reply that is none of the API's
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from json import loads
from typing import Final
from urllib.parse import urlsplit

from routic_cli.domain.errors import (
    CredentialError,
    InvalidRequestError,
    OutcomeUnknownError,
    RouticError,
    UnavailableError,
)
from routic_cli.transport.wire.errors import error_from

_LONGEST_PAUSE: Final = 5.0  # of a Retry-After that is still waited for
_SUCCESSES: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = range(500, 600)
_OF_A_PROXY: Final = frozenset({401, 403, 407})
_NOT_FOUND: Final = 404
_NOTHING_THERE: Final = "not_found"  # of an address; of a key it is `key_not_found`
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429


class Refused(Exception):  # noqa: N818  # how an attempt ended, not what a caller sees
    """The request was not carried out. `again` says that another attempt may do better, after `pause` seconds."""

    def __init__(self, error: RouticError, *, again: bool = False, pause: float | None = None) -> None:
        super().__init__()
        self.error = error
        self.again = again
        self.pause = pause


class Lost(Exception):  # noqa: N818  # as above
    """The request may have been carried out; `why` in a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whoever sent it."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def sent_at(self) -> float | None:
        """Unix seconds by the server's own clock, where it names them."""
        date = self.headers.get("date")
        try:
            return None if date is None else parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):
            return None


def judged(reply: Reply, base_url: str) -> object:
    """The JSON of a reply that is the API's and says success; Refused or Lost for every other."""
    if reply.status in _REDIRECTS:
        raise Refused(_redirected(reply, base_url))
    try:
        data = loads(reply.content)
    except (ValueError, RecursionError):  # no JSON, no text, or a number of ten thousand digits
        data = None
    if reply.status in _SUCCESSES and isinstance(data, dict):
        return data
    error = error_from(data, reply.status)
    if _lacks_address(data, reply.status):
        raise Refused(_too_old(base_url))
    if error is None or _is_anothers(error, data, reply.status):
        raise _none_of_the_apis(reply.status, base_url)
    if isinstance(error, OutcomeUnknownError):
        raise Lost(error.what)
    if type(error) is RouticError and reply.status in _SERVER_ERRORS:
        raise Lost(f"The server failed: {error.what}")  # in the middle of something, perhaps
    raise Refused(error, again=isinstance(error, UnavailableError), pause=_pause(reply.headers.get("retry-after")))


def unreachable(error: Exception, origin: str) -> Refused:
    """No connection, or none to whom it should be."""
    why, again = in_words(error), True
    remedy = "the same command again, in a moment"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        why, again = f"Its certificate is not to be trusted: {_certificate_problem(error)}", False
        remedy = "ROUTIC_CA_FILE=PATH, if an authority of your own signed it"
    return Refused(
        UnavailableError(f"{origin} could not be reached", why=why, not_done="Nothing was sent", remedy=remedy),
        again=again,
    )


def in_words(error: Exception) -> str:
    """What happened, in words of our own or the operating system's; never what a server sent."""
    name = type(error).__name__
    if "Timeout" in name:
        return "It was silent for too long"
    if name == "RemoteProtocolError":
        return "It broke off in the middle of its reply, or speaks no HTTP"
    if name == "ValueError":
        return "Its reply is larger than any of the API's"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "The connection failed"


def origin_of(base_url: str) -> str:
    """Scheme, host and port, as they are said to people."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(base_url))


def _is_anothers(error: RouticError, data: object, status: int) -> bool:
    """Whether an error object has a code that routic's API does not have, where the status alone would mislead.

    Gateways shape their errors like OpenAI's too: their 404 says nothing of a key, and their 502 or 503 nothing of
    what became of the request.
    """
    inner = data["error"] if isinstance(data, dict) else {}
    misleading = status == _NOT_FOUND or status in _SERVER_ERRORS
    return status == _TOO_LARGE or (misleading and inner.get("code") != error.code)


def _lacks_address(data: object, status: int) -> bool:
    """Whether it is the admin API that says that it has nothing at this address.

    Its words are those of every routic so far; a gateway's 404 in OpenAI's shape has others.
    """
    inner = data.get("error") if isinstance(data, dict) else None
    return status == _NOT_FOUND and isinstance(inner, dict) and inner.get("code") == _NOTHING_THERE and "what" in inner


def _too_old(base_url: str) -> RouticError:
    # Not as if it were out of order, with 7: the same command again will not do better.
    return RouticError(
        f"The routic at {origin_of(base_url)} does not have this yet",
        why=f"It is older than this one, or its API is not at {base_url}: it has nothing at the address asked for",
        not_done="Nothing was done",
        remedy="pip install --upgrade routic, there",
    )


def _none_of_the_apis(status: int, base_url: str) -> Refused | Lost:
    """A reply that routic's API does not make: of a proxy before it, or of something else altogether."""
    if status in _SERVER_ERRORS or status in _SUCCESSES:
        return Lost(f"It answered {status} with something that is not the API's")
    origin = origin_of(base_url)
    if status in _OF_A_PROXY:
        return Refused(
            CredentialError(
                f"Something before {origin} refused the request with {status}",
                why="The reply is not the admin API's: a proxy wants a credential of its own, perhaps",
                not_done="Nothing was done",
                remedy="routic config get store",
            )
        )
    if status == _TOO_LARGE:
        return Refused(
            InvalidRequestError(f"{origin} does not take a request of this size", not_done="Nothing was done")
        )
    return Refused(
        UnavailableError(
            f"{base_url} is not routic's admin API",
            why=f"It answered {status} with something that is not the API's",
            not_done="Nothing was done",
            remedy="routic config get store",
        ),
        again=status == _TOO_MANY,
    )


def _redirected(reply: Reply, base_url: str) -> UnavailableError:
    try:
        target = urlsplit(reply.headers.get("location", ""))
        where = f" to {target.scheme}://{target.hostname}" if target.hostname else ""
    except ValueError:  # an address that is none
        where = ""
    return UnavailableError(
        f"{origin_of(base_url)} redirects{where}",
        why="Redirects are not followed: the credential would go where it was not meant for",
        not_done="Nothing was done",
        remedy="routic config set store URL, with the address it redirects to if that is the right one",
    )


def _pause(retry_after: str | None) -> float | None:
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(float(retry_after), _LONGEST_PAUSE)


def _certificate_problem(error: Exception) -> str:
    _, _, detail = str(error).partition("certificate verify failed: ")
    return detail.partition(" (_ssl")[0] or "it could not be verified"
