"""/auth: a gateway asks whether a request may pass. Raw ASGI, answered before any framework has a look at it."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, Final, NamedTuple

from routic_cli.domain.admission import (
    in_url,
    missing,
    not_bearer,
    over_limit,
    refused,
    two_headers,
    unavailable,
    unknown,
)
from routic_cli.domain.errors import RouticError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.usage import Outcome, UsageEvent
from routic_cli.server.access_log import AccessLog
from routic_cli.server.answer import Answer
from routic_cli.server.forwarded import Call, Forwarded, collected
from routic_cli.server.gate import Gate, Known, MustWaitError
from routic_cli.server.metrics import Metrics
from routic_cli.server.rate_limits import Quota, RateLimiter
from routic_cli.server.recorder import Recorder
from routic_cli.server.replies import quota_headers, refusal, wait_of
from routic_cli.server.strangers import WITHOUT_KEY, Strangers

Message = MutableMapping[str, Any]

_REQUEST_ID: Final = re.compile(rb"[0-9A-Za-z._-]{1,64}")
_BEARER: Final = b"bearer"
_OK: Final = 200
_TEXTS: Final = {outcome: outcome.value for outcome in Outcome}
_NOBODY: Final = (None, None, None)


class Decision(NamedTuple):
    """What is answered, and what it is about. An error for whom is kept out, a key where one is known."""

    outcome: Outcome
    error: RouticError | None = None
    known: Known | None = None
    sha256: Fingerprint | None = None
    quota: Quota | None = None


class AuthEndpoint:
    """The ASGI application of /auth, for one event loop. It answers any method, and reads no body.

    `trusted` are the networks of proxies whose X-Forwarded-* count. Who makes it starts recorder and access log, and
    closes all of its parts, in this order, when the last request is answered: gate, limiter, recorder, access log;
    from another thread than the event loop's, as they may wait.
    """

    def __init__(
        self,
        gate: Gate,
        limiter: RateLimiter,
        recorder: Recorder,
        metrics: Metrics,
        access_log: AccessLog | None,
        clock: Callable[[], UnixSeconds],
        trusted: Iterable[str] = (),
    ) -> None:
        self._gate = gate
        self._limiter = limiter
        self._record = recorder.record
        self._decided = metrics.decided
        self._log = access_log.request if access_log is not None else None
        self._clock = clock
        self._forwarded = Forwarded(trusted)
        self._prefix = f"req_{os.urandom(8).hex()}"  # of this process; the number behind it makes an id unique
        self._numbers = count(1)
        self._strangers = Strangers()

    @property
    def folded(self) -> int:
        """How many decisions about requests without a key were counted, and not written down."""
        return self._strangers.folded

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: object, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one request, as ASGI has it."""
        del receive
        answer = await self._answer(scope, patient=True)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers()})
        await send({"type": "http.response.body", "body": answer.body})

    def at_one_moment(self) -> AbstractContextManager[None]:
        """For a block of `at_once`, of requests that had come before it: they are judged by one state of the store."""
        return self._gate.at_one_moment()

    def at_once(self, scope: MutableMapping[str, Any]) -> Answer | None:
        """The answer to one request; None, and nothing noted, when it would have to wait for one: then call instead."""
        coroutine = self._answer(scope, patient=False)
        try:
            coroutine.send(None)  # as far as it gets, which is its end
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        except MustWaitError:
            return None
        raise AssertionError("what may not wait has waited")

    async def _answer(self, scope: MutableMapping[str, Any], *, patient: bool) -> Answer:
        """MustWaitError, before anything is counted, for what must wait and is not patient."""
        began = time.perf_counter_ns()
        headers, repeated = collected(scope["headers"])
        call = self._forwarded.read(scope, headers)
        now = self._clock()
        if repeated:
            decision = Decision(Outcome.MALFORMED, two_headers())
        else:
            decision = await self._decide(headers.get(b"authorization"), call, now, patient=patient)
        request_id = self._request_id(headers.get(b"x-request-id"))
        answer = _answer_of(decision, request_id)
        self._note(decision, call, now, answer.status, request_id, time.perf_counter_ns() - began)
        return answer

    async def _decide(self, authorization: bytes | None, call: Call, now: UnixSeconds, *, patient: bool) -> Decision:
        """The table of the contract, from its top to the key's own limit."""
        if authorization is None:
            return Decision(Outcome.IN_URL, in_url()) if call.key_in_url else Decision(Outcome.MISSING, missing())
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != _BEARER:
            return Decision(Outcome.MALFORMED, not_bearer())
        return await self._judged(token.strip(), now, patient=patient)

    async def _judged(self, token: bytes, now: UnixSeconds, *, patient: bool) -> Decision:
        digest = hashlib.sha256(token).digest()
        try:
            try:
                known = self._gate.find(digest, now)
            except MustWaitError:
                if not patient:
                    raise
                known = await self._gate.find_patiently(digest, now)
        except RouticError as error:
            return Decision(Outcome.UNAVAILABLE, unavailable(error))
        if known is None:
            return _unknown(token, digest)
        outcome = known.judged(now)
        if outcome is not Outcome.ALLOWED:
            return Decision(outcome, refused(outcome, token.decode("latin-1"), known.number), known)
        if known.rpm is None:
            return Decision(outcome, None, known)
        if self._limiter.waits and not patient:
            raise MustWaitError
        return await self._limited(known, known.rpm)

    async def _limited(self, known: Known, rpm: int) -> Decision:
        quota = await self._limiter.take(known.key.id, rpm)
        if quota is not None and not quota.passed:
            return Decision(Outcome.LIMITED, over_limit(rpm, wait_of(quota)), known, quota=quota)
        return Decision(Outcome.ALLOWED, None, known, quota=quota)

    def _note(
        self, decision: Decision, call: Call, now: UnixSeconds, status: int, request_id: str, nanoseconds: int
    ) -> None:
        """Count the decision, and have it written: none of the three waits or fails."""
        outcome, _, known, sha256, _ = decision
        method, path, address, agent, origin, key_in_url, plain_http = call
        key_id, number, account = (known.key.id, known.number, known.account) if known is not None else _NOBODY
        flags = call.flags if key_in_url or plain_http else ()
        text = _TEXTS[outcome]
        self._decided(outcome, nanoseconds)
        if sha256 is not None or outcome not in WITHOUT_KEY or self._strangers.is_to_be_noted(address, now):
            whose = (key_id, number, sha256, account)
            self._record(UsageEvent(now, text, method, path, status, address, agent, request_id, flags, *whose, origin))
        if self._log is not None:
            line: dict[str, object] = {
                "time": now,
                "request_id": request_id,
                "method": method,
                "path": path,
                "status": status,
                "duration_ms": round(nanoseconds / 1e6, 3),
                "key_id": key_id,
                "address": address,
                "outcome": outcome,
            }
            self._log(line)

    def _request_id(self, given: bytes | None) -> str:
        """The caller's own, where it is a short token and no key; else a new one."""
        if given is not None and _REQUEST_ID.fullmatch(given) and b"sk-" not in given:
            return given.decode("ascii")
        return f"{self._prefix}{next(self._numbers):08x}"


def _answer_of(decision: Decision, request_id: str) -> Answer:
    if decision.error is not None:
        return Answer(*refusal(decision.error, decision.quota), request_id)
    known, quota = decision.known, decision.quota
    if known is None:
        raise AssertionError("what passes has a key")
    if quota is None:
        return Answer(_OK, known.headers, b"", request_id, known.lines)
    return Answer(_OK, known.headers + quota_headers(quota), b"", request_id)


def _unknown(token: bytes, digest: bytes) -> Decision:
    if not token:
        return Decision(Outcome.MISSING, missing())
    outcome, error = unknown(token.decode("latin-1"))
    # Only of what looks like a key: what else is sent by mistake may be a password that a hash would give away.
    return Decision(outcome, error, sha256=Fingerprint(digest.hex()) if token.startswith(b"sk-") else None)
