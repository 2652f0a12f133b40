"""One question to an admin API and its answer: TLS, time-outs, retries, and what is said when no answer came.

Every call of the API can be repeated, so what was lost is asked again. A change of which an attempt was lost, and none
answered, ends with OutcomeUnknownError.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import quote

from routic_cli import __version__
from routic_cli.domain.errors import (
    ConflictError,
    InvalidRequestError,
    OutcomeUnknownError,
    RouticError,
    UnavailableError,
)
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Secret
from routic_cli.transport.deadline import Deadline
from routic_cli.transport.outcomes import Lost, Refused, Reply, in_words, judged, origin_of, unreachable

if TYPE_CHECKING:
    import socket
    import ssl

    import httpx2

T = TypeVar("T")

ACCOUNT_HEADER: Final = "X-Routic-Account"
"""Whose keys the client means, percent-encoded: the server refuses a request with another account's credential."""

ATTEMPTS: Final = 3
_BACKOFF_SECONDS: Final = 0.25  # before the second attempt at most; twice that before the third
_LARGEST_REPLY: Final = 64 << 20
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for a connection, for silence in the middle, and for one attempt in all."""

    connect: float = 5.0
    silence: float = 15.0
    attempt: float = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `changes` says that it is more than a look; `seconds` is the longest that one attempt may take.

    `works` says that a server may have to think for as long before it begins to answer.
    """

    method: str
    path: str
    parameters: Sequence[tuple[str, str]] = ()
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    changes: bool = False
    seconds: float | None = None
    works: bool = False


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
        account: str | None = None,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._origin = origin_of(base_url)
        self._token = token
        self._account = None if account is None else quote(account, safe="")
        self._context = context
        self._timeouts = timeouts or Timeouts()
        self._sleep = sleep
        self._client: httpx2.Client | None = None
        self._socket: socket.socket | None = None  # of a connection that is used again

    def ask(self, question: Question, read: Callable[[object], T]) -> Answer[T]:
        """What `read` makes of the answer; it raises InvalidRequestError for a reply that it cannot read.

        The API's own errors arrive as the classes they are. UnavailableError when nobody answered, OutcomeUnknownError
        when that leaves open whether a change was made.
        """
        began = time.monotonic()
        lost: str | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = self._attempt(question)
                data = _read(judged(reply, self._base_url), read)
                return Answer(data, _first_asked(reply, time.monotonic() - began) if lost is not None else None)
            except Lost as error:
                lost = error.why
                failure: RouticError = self._unavailable(question, error.why)
                pause = None
            except Refused as refused:
                failure, pause = refused.error, refused.pause
                if not refused.again:
                    break
            if attempt < ATTEMPTS:
                self._sleep(pause if pause is not None else _jittered(attempt))
        if lost is not None and question.changes:
            if not isinstance(failure, ConflictError):
                raise self._unknown(lost, failure)
            failure.may_have_happened = True  # the attempt that was lost may still be on its way
        raise failure

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _attempt(self, question: Question) -> Reply:
        """A whole reply, whatever it says; Refused or Lost without."""
        import httpx2

        with Deadline(question.seconds or self._timeouts.attempt, self._socket) as deadline:
            try:
                client = self._opened()
                with client.stream(
                    question.method,
                    f"{self._base_url}{question.path}",
                    params=list(question.parameters) or None,
                    content=None if question.body is None else dumps(question.body).encode(),
                    headers=self._headers(question),
                    timeout=self._patience(question),
                    extensions={"trace": deadline.watch},
                ) as response:
                    content = _content_of(response)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                raise unreachable(error, self._origin) from None
            except (httpx2.TransportError, httpx2.DecodingError, OSError, ValueError) as error:
                if deadline.passed:
                    raise Lost("It took longer than we wait") from None
                raise Lost(in_words(error)) from None
            finally:
                self._socket = deadline.socket
        return Reply(response.status_code, response.headers, content)

    def _opened(self) -> httpx2.Client:
        if self._client is None:
            import httpx2

            self._client = httpx2.Client(
                verify=self._context() if self._base_url.startswith("https:") else False,
                trust_env=False,
                follow_redirects=False,
                limits=httpx2.Limits(max_connections=1),
            )
        return self._client

    def _patience(self, question: Question) -> httpx2.Timeout:
        import httpx2

        times = self._timeouts
        silence = question.seconds if question.works and question.seconds else times.silence
        return httpx2.Timeout(silence, connect=times.connect)

    def _headers(self, question: Question) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._token.reveal()}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # what unpacks to gigabytes is refused by its size
            "User-Agent": f"routic/{__version__}",
            **({ACCOUNT_HEADER: self._account} if self._account is not None else {}),
            **({"Content-Type": "application/json"} if question.body is not None else {}),
            **question.headers,
        }

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


def _read(data: object, read: Callable[[object], T]) -> T:
    try:
        return read(data)
    except InvalidRequestError as error:
        raise Lost(f"Its reply could not be read: {error.what}") from error


def _first_asked(reply: Reply, elapsed: float) -> UnixSeconds | None:
    """When we first asked, by the server's clock, and rather a second too early."""
    return None if reply.sent_at is None else int(reply.sent_at - elapsed) - 1
