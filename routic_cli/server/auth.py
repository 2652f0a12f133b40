"""/auth: a gateway asks whether a request may pass. Raw ASGI, answered before any framework has a look at it."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
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
from routic_cli.server.forwarded import Call, Forwarded, collected
from routic_cli.server.gate import Gate, Known, MustWaitError
from routic_cli.server.metrics import Metrics
from routic_cli.server.rate_limits import Quota, RateLimiter
from routic_cli.server.recorder import Recorder
from routic_cli.server.replies import Headers, quota_headers, refusal, wait_of

Message = MutableMapping[str, Any]

_REQUEST_ID: Final = re.compile(rb"[0-9A-Za-z._-]{1,64}")
_BEARER: Final = b"bearer"
_OK: Final = 200


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

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: object, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        del receive
        began = time.perf_counter()
        headers, repeated = collected(scope["headers"])
        call = self._forwarded.read(scope, headers)
        now = self._clock()
        if repeated:
            decision = Decision(Outcome.MALFORMED, two_headers())
        else:
            decision = await self._decide(headers.get(b"authorization"), call, now)
        status, reply, body = _answer(decision)
        request_id = self._request_id(headers.get(b"x-request-id"))
        self._note(decision, call, now, status, request_id, time.perf_counter() - began)
        start = {
            "type": "http.response.start",
            "status": status,
            "headers": [*reply, (b"x-request-id", request_id.encode())],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body})

    async def _decide(self, authorization: bytes | None, call: Call, now: UnixSeconds) -> Decision:
        """The table of the contract, from its top to the key's own limit."""
        if authorization is None:
            return Decision(Outcome.IN_URL, in_url()) if call.key_in_url else Decision(Outcome.MISSING, missing())
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != _BEARER:
            return Decision(Outcome.MALFORMED, not_bearer())
        token = token.strip()
        digest = hashlib.sha256(token).digest()
        try:
            known = await self._known(digest, now)
        except RouticError as error:
            return Decision(Outcome.UNAVAILABLE, unavailable(error))
        if known is None:
            return _unknown(token, digest)
        outcome = known.judged(now)
        if outcome is not Outcome.ALLOWED:
            return Decision(outcome, refused(outcome, token.decode("latin-1"), known.number), known)
        return Decision(outcome, None, known) if known.rpm is None else await self._limited(known, known.rpm)

    async def _known(self, digest: bytes, now: UnixSeconds) -> Known | None:
        try:
            return self._gate.find(digest, now)
        except MustWaitError:
            return await self._gate.find_patiently(digest, now)

    async def _limited(self, known: Known, rpm: int) -> Decision:
        quota = await self._limiter.take(known.key.id, rpm)
        if quota is not None and not quota.passed:
            return Decision(Outcome.LIMITED, over_limit(rpm, wait_of(quota)), known, quota=quota)
        return Decision(Outcome.ALLOWED, None, known, quota=quota)

    def _note(
        self, decision: Decision, call: Call, now: UnixSeconds, status: int, request_id: str, seconds: float
    ) -> None:
        """Count the decision, and have it written: none of the three waits or fails."""
        outcome, _, known, sha256, _ = decision
        key_id = known.key.id if known is not None else None
        self._record(
            UsageEvent(
                now,
                outcome,
                call.method,
                call.path,
                status,
                call.address,
                call.agent,
                request_id,
                call.flags,
                key_id,
                known.number if known is not None else None,
                sha256,
                known.account if known is not None else None,
                call.origin,
            )
        )
        self._decided(outcome, seconds)
        if self._log is not None:
            line: dict[str, object] = {
                "time": now,
                "request_id": request_id,
                "method": call.method,
                "path": call.path,
                "status": status,
                "duration_ms": round(seconds * 1000, 3),
                "key_id": key_id,
                "address": call.address,
                "outcome": outcome,
            }
            self._log(line)

    def _request_id(self, given: bytes | None) -> str:
        """The caller's own, where it is a short token and no key; else a new one."""
        if given is not None and _REQUEST_ID.fullmatch(given) and b"sk-" not in given:
            return given.decode("ascii")
        return f"{self._prefix}{next(self._numbers):08x}"


def _answer(decision: Decision) -> tuple[int, Headers, bytes]:
    if decision.error is not None:
        return refusal(decision.error, decision.quota)
    if decision.known is None:
        raise AssertionError("what passes has a key")
    if decision.quota is None:
        return _OK, decision.known.headers, b""
    return _OK, decision.known.headers + quota_headers(decision.quota), b""


def _unknown(token: bytes, digest: bytes) -> Decision:
    if not token:
        return Decision(Outcome.MISSING, missing())
    outcome, error = unknown(token.decode("latin-1"))
    # Only of what looks like a key: what else is sent by mistake may be a password that a hash would give away.
    return Decision(outcome, error, sha256=Fingerprint(digest.hex()) if token.startswith(b"sk-") else None)
