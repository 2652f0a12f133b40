"""One question to an admin API and its answer: TLS, time-outs, retries, and what may be believed of each outcome.

An attempt ends in one of three ways, and what is said of a change depends on which:

    answered    the API itself replied: its word counts, success or error
    refused     the request cannot have been carried out: no connection, no valid certificate, a redirect
    lost        it may have been carried out: time-out, half a reply, a reply that is none of the API's

Every call of the API can be repeated, so what was lost is asked again. A change of which an attempt was lost, and none
answered, ends with OutcomeUnknownError.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from json import JSONDecodeError, dumps, loads
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import urlsplit

from routic_cli import __version__
from routic_cli.domain.errors import (
    ConflictError,
    CredentialError,
    InvalidRequestError,
    OutcomeUnknownError,
    RouticError,
    UnavailableError,
)
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Secret
from routic_cli.transport.deadline import Deadline
from routic_cli.transport.wire.errors import error_from

if TYPE_CHECKING:
    import ssl

    import httpx2

T = TypeVar("T")

ATTEMPTS: Final = 3
_BACKOFF_SECONDS: Final = 0.25  # before the second attempt at most; twice that before the third
_LONGEST_PAUSE: Final = 5.0  # of a Retry-After that is still waited for
_LARGEST_REPLY: Final = 64 << 20
_CHUNK: Final = 1 << 16
_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_SERVER_ERRORS: Final = range(500, 600)
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for a connection, for silence in the middle, and for one attempt in all."""

    connect: float = 5.0
    silence: float = 15.0
    attempt: float = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `changes` says that it is more than a look; `seconds` is the longest that one attempt may take."""

    method: str
    path: str
    parameters: Sequence[tuple[str, str]] = ()
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    changes: bool = False
    seconds: float | None = None


class _Refused(Exception):  # noqa: N818  # how an attempt ended, not what a caller sees
    """The request was not carried out. `again` says that another attempt may do better."""

    def __init__(self, error: RouticError, *, again: bool = False) -> None:
        super().__init__()
        self.error = error
        self.again = again
        self.pause: float | None = None


class _Lost(Exception):  # noqa: N818  # as above
    """The request may have been carried out; `why` in a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What `read` made of the reply. `asked_since`: the server's time of our first attempt, if an earlier was lost."""

    data: T
    asked_since: UnixSeconds | None


class Exchange:
    """A connection to one admin API, with one credential. `context` is for tests of plain http: None.

    The credential goes to `base_url` and nowhere else: redirects are not followed, and no variable of the environment
    names a proxy, a certificate or a file for session keys.
    """

    def __init__(
        self,
        base_url: str,
        token: Secret,
        context: Callable[[], ssl.SSLContext],
        *,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
        self._token = token
        self._context = context
        self._timeouts = timeouts or Timeouts()
        self._sleep = sleep
        self._client: httpx2.Client | None = None

    def ask(self, question: Question, read: Callable[[object], T]) -> Answer[T]:
        """What `read` makes of the answer; it raises InvalidRequestError for a reply that it cannot read.

        The API's own errors arrive as the classes they are. UnavailableError when nobody answered, OutcomeUnknownError
        when that leaves open whether a change was made.
        """
        began = time.monotonic()
        lost: str | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                data, date = self._attempt(question)
                since = None if lost is None or date is None else int(date - (time.monotonic() - began)) - 1
                return Answer(self._read(data, read), since)
            except _Lost as error:
                lost = error.why
                failure: RouticError = self._unavailable(question, error.why)
                pause = None
            except _Refused as refused:
                failure, pause = refused.error, refused.pause
                if not refused.again:
                    break
            if attempt < ATTEMPTS:
                self._sleep(pause if pause is not None else _jittered(attempt))
        if lost is not None and question.changes and not isinstance(failure, ConflictError):
            raise self._unknown(lost, failure)
        raise failure

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _attempt(self, question: Question) -> tuple[object, float | None]:
        """The JSON of a successful reply, and when it was sent by the server's clock; _Refused or _Lost."""
        import httpx2

        with Deadline(question.seconds or self._timeouts.attempt) as deadline:
            try:
                client = self._opened()
                with client.stream(
                    question.method,
                    f"{self._base_url}{question.path}",
                    params=list(question.parameters) or None,
                    content=None if question.body is None else dumps(question.body).encode(),
                    headers=self._headers(question),
                    extensions={"trace": deadline.watch},
                ) as response:
                    content = _content_of(response)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                raise self._unreachable(error) from None
            except (httpx2.TransportError, httpx2.DecodingError, OSError, ValueError) as error:
                if deadline.passed:
                    raise _Lost("It took longer than we wait") from None
                raise _Lost(_in_words(error)) from None
        return self._judged(response, content), _time_of(response.headers.get("date"))

    def _opened(self) -> httpx2.Client:
        if self._client is None:
            import httpx2

            times = self._timeouts
            self._client = httpx2.Client(
                verify=self._context() if self._base_url.startswith("https:") else False,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx2.Timeout(times.silence, connect=times.connect),
                limits=httpx2.Limits(max_connections=1),
            )
        return self._client

    def _headers(self, question: Question) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token.reveal()}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # what unpacks to gigabytes is refused by its size
            "User-Agent": f"routic/{__version__}",
            **({"Content-Type": "application/json"} if question.body is not None else {}),
            **question.headers,
        }

    def _judged(self, response: httpx2.Response, content: bytes) -> object:
        status = response.status_code
        if status in _REDIRECTS:
            raise _Refused(self._redirected(response))
        try:
            data = loads(content)
        except (JSONDecodeError, UnicodeDecodeError, RecursionError):
            data = None
        if _OK <= status < 300 and isinstance(data, dict):  # noqa: PLR2004  # what success is
            return data
        error = error_from(data, status)
        if error is None:
            raise self._none_of_the_apis(status)
        if type(error) is RouticError and status in _SERVER_ERRORS:
            raise _Lost(f"The server failed: {error.what}")  # in the middle of something, perhaps
        refused = _Refused(error, again=isinstance(error, UnavailableError))
        refused.pause = _pause(response.headers.get("retry-after"))
        if isinstance(error, OutcomeUnknownError):
            raise _Lost(error.what)
        raise refused

    def _none_of_the_apis(self, status: int) -> _Refused | _Lost:
        """A reply that routic's API does not make: of a proxy before it, or of something else altogether."""
        if status in _SERVER_ERRORS or _OK <= status < 300:  # noqa: PLR2004  # what success is
            return _Lost(f"It answered {status} with something that is not the API's")
        if status in {401, 403, 407}:
            return _Refused(
                CredentialError(
                    f"Something before {self._origin} refused the request with {status}",
                    why="The reply is not the admin API's: a proxy wants a credential of its own, perhaps",
                    not_done="Nothing was done",
                    remedy="routic config get store",
                )
            )
        if status == _TOO_LARGE:
            return _Refused(
                InvalidRequestError(f"{self._origin} does not take a request of this size", not_done="Nothing was done")
            )
        return _Refused(
            UnavailableError(
                f"{self._base_url} is not routic's admin API",
                why=f"It answered {status} with something that is not the API's",
                not_done="Nothing was done",
                remedy="routic config get store",
            ),
            again=status == _TOO_MANY,
        )

    def _read(self, data: object, read: Callable[[object], T]) -> T:
        try:
            return read(data)
        except InvalidRequestError as error:
            raise _Lost(f"Its reply could not be read: {error.what}") from error

    def _redirected(self, response: httpx2.Response) -> UnavailableError:
        target = urlsplit(response.headers.get("location", ""))
        where = f" to {target.scheme}://{target.hostname}" if target.hostname else ""
        return UnavailableError(
            f"{self._origin} redirects{where}",
            why="Redirects are not followed: the credential would go where it was not meant for",
            not_done="Nothing was done",
            remedy="routic config set store URL, with the address it redirects to if that is the right one",
        )

    def _unreachable(self, error: Exception) -> _Refused:
        why, again = _in_words(error), True
        remedy = "the same command again, in a moment"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            why, again = f"Its certificate is not to be trusted: {_certificate_problem(error)}", False
            remedy = "ROUTIC_CA_FILE=PATH, if an authority of your own signed it"
        return _Refused(
            UnavailableError(
                f"{self._origin} could not be reached", why=why, not_done="Nothing was sent", remedy=remedy
            ),
            again=again,
        )

    def _unavailable(self, question: Question, why: str) -> UnavailableError:
        return UnavailableError(
            f"{self._origin} gave no answer",
            why=why,
            not_done="" if question.changes else "Nothing was changed",
            remedy="the same command again, in a moment",
        )

    def _unknown(self, lost: str, failure: RouticError) -> OutcomeUnknownError:
        more = "" if isinstance(failure, UnavailableError) and failure.why == lost else f"; then: {failure.what}"
        return OutcomeUnknownError(
            f"{self._origin} did not confirm the change",
            why=f"{lost}{more}",
            not_done="It may or may not have been made",
            remedy="routic keys list --all, to see",
        )


def _content_of(response: httpx2.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_raw(_CHUNK):
        content += chunk
        if len(content) > _LARGEST_REPLY:
            raise ValueError("the reply does not end")
    return bytes(content)


def _jittered(attempt: int) -> float:
    return random.uniform(0, _BACKOFF_SECONDS * 2**attempt)  # noqa: S311  # spreads the load, hides nothing


def _pause(retry_after: str | None) -> float | None:
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(float(retry_after), _LONGEST_PAUSE)


def _time_of(date: str | None) -> float | None:
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _certificate_problem(error: Exception) -> str:
    _, _, detail = str(error).partition("certificate verify failed: ")
    return detail.partition(" (_ssl")[0] or "it could not be verified"


def _in_words(error: Exception) -> str:
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
