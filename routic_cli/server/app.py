"""The ASGI application of `routic serve`: what a gateway asks goes to /auth, everything else to the admin API."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from routic_cli.domain.errors import (
    CredentialError,
    InvalidRequestError,
    OutcomeUnknownError,
    RouticError,
    UnavailableError,
)
from routic_cli.domain.keys import DEFAULT_ACCOUNT, UnixSeconds
from routic_cli.domain.scopes import Credential
from routic_cli.server.answer import Answer
from routic_cli.server.auth import AuthEndpoint
from routic_cli.server.credentials import Authenticator
from routic_cli.server.forwarded import AUTH_PATH
from routic_cli.server.openapi import document
from routic_cli.server.replies import TOO_LARGE, too_large
from routic_cli.server.requests import AdminRequest
from routic_cli.server.routes import PREFIX, ROUTES, Route
from routic_cli.server.server_log import LOGGER
from routic_cli.server.services import Services
from routic_cli.transport.exchange import ACCOUNT_HEADER
from routic_cli.transport.wire.errors import error_object, http_status
from routic_cli.transport.wire.queries import Asked

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_REQUEST_ID: Final = re.compile(r"[0-9A-Za-z._-]{1,64}")
_UNAUTHORIZED: Final = 401
_INTERNAL: Final = 500
_OPENAI_RETRIES: Final = {"x-should-retry": "false"}  # its client asks again after a 409, which changes nothing


class Log(Protocol):
    """Where a line for each request goes."""

    def request(self, fields: Mapping[str, object]) -> None:
        """Take note of a request that was answered. No field has a secret."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is put together from. `auth` answers /auth.

    `opened` and `closed` run when the server begins and has answered its last request. `metrics` gives the text for
    Prometheus and its content type.
    """

    services: Services
    authenticator: Authenticator
    clock: Callable[[], UnixSeconds]
    auth: AuthEndpoint | None = None
    metrics: Callable[[], tuple[bytes, str]] | None = None
    log: Log | None = None
    opened: Callable[[], None] = lambda: None
    closed: Callable[[], None] = lambda: None
    extra_routes: list[BaseRoute] = field(default_factory=list)


class Application:
    """/auth is answered before Starlette, whose routing would cost as much again as the whole answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rest = _starlette(parts)

    def at_one_moment(self) -> AbstractContextManager[object]:
        """For a block of `at_once`, of requests that had come before it."""
        return nullcontext() if self._parts.auth is None else self._parts.auth.at_one_moment()

    def at_once(self, scope: MutableMapping[str, Any]) -> Answer | None:
        """The answer to a question of a gateway that needs not wait; None for all others, which are to be called."""
        auth = self._parts.auth
        return auth.at_once(scope) if auth is not None and _is_for_auth(scope["path"]) else None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One connection's event, as ASGI has it."""
        kind = scope["type"]
        if kind == "http":
            if self._parts.auth is not None and _is_for_auth(scope["path"]):
                await self._parts.auth(scope, receive, send)
            else:
                await self._answer(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        else:  # a websocket, which nothing here speaks
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await run_in_threadpool(self._parts.opened)
                await send({"type": "lifespan.startup.complete"})
            else:
                await run_in_threadpool(self._parts.closed)
                self._parts.services.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Starlette's answer with a request id, and a line in the log."""
        began = time.perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._rest(scope, receive, named)
        except Exception:  # whatever it is: Starlette has answered 500, and raises it once more for the log
            if not status:
                raise
            # Where it happened is told, without what it happened with.
            logging.getLogger(LOGGER).exception("A request could not be answered", extra={"request_id": request_id})
        finally:
            if self._parts.log is not None:
                credential = scope["state"].get("credential")
                self._parts.log.request(
                    {
                        "time": self._parts.clock(),
                        "request_id": request_id,
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": status,
                        "duration_ms": round((time.perf_counter() - began) * 1000, 1),
                        "key_id": credential.key_id if credential is not None else None,
                        "address": (scope.get("client") or ("",))[0],
                    }
                )


def _is_for_auth(path: str) -> bool:
    return path == AUTH_PATH or path.startswith(f"{AUTH_PATH}/")  # Envoy puts the path that it asks about behind it


def _request_id(scope: Mapping[str, Any]) -> str:
    """The caller's own, where it is a short token and no key; else a new one."""
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
    sound = _REQUEST_ID.fullmatch(given) is not None and "sk-" not in given
    return given if sound else f"req_{uuid4().hex}"


def _starlette(parts: Parts) -> Starlette:
    by_path: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        by_path.setdefault(PREFIX + route.path, {})[route.method] = route
    admin = [_resource(path, methods, parts) for path, methods in by_path.items()]
    application = Starlette(
        routes=[*admin, *_about(parts), *parts.extra_routes],
        exception_handlers={HTTPException: _no_such_route, Exception: _internal_error},
    )
    application.router.redirect_slashes = False  # a redirect goes to whatever Host says, and nobody follows it
    return application


def _resource(path: str, methods: Mapping[str, Route], parts: Parts) -> StarletteRoute:
    async def endpoint(request: Request) -> Response:
        if request.method not in methods:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})
        return await _respond(request, methods[request.method], parts)

    route = StarletteRoute(path, endpoint)
    route.methods = None  # all of them: with PUT, /keys/import would be the key called 'import'
    return route


async def _respond(request: Request, route: Route, parts: Parts) -> Response:
    try:
        credential = await run_in_threadpool(parts.authenticator.credential, request.headers.getlist("authorization"))
        request.state.credential = credential
        meant = request.headers.get(ACCOUNT_HEADER)
        if meant is not None:
            credential.require_account(unquote(meant, errors="replace"))
        if route.scopes:
            credential.require_any(route.scopes)
        content = await _content(request, route.largest)
        if content is None:
            return _json(too_large(route.largest), TOO_LARGE, _OPENAI_RETRIES)
        return await _unless_it_ends(run_in_threadpool(_handled, request, route, parts, credential, content))
    except RouticError as error:
        return _error(error)


def _handled(request: Request, route: Route, parts: Parts, credential: Credential, content: bytes) -> Response:
    """The reply, rendered here too: a large one would keep the event loop from everybody else."""
    actor = f"{credential.name} ({credential.key_id})"
    with parts.services.service(credential.account, actor) as service:
        data = route.answer(
            AdminRequest(
                service=service,
                credential=credential,
                now=parts.clock(),
                words=request.path_params,
                asked=Asked(_parameters(request)),
                content=content,
                if_match=request.headers.get("if-match"),
            )
        )
    return _json(data)


def _parameters(request: Request) -> list[tuple[str, str]]:
    try:
        return parse_qsl(request.url.query, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise InvalidRequestError("The query part of the address is not UTF-8, or too long") from None


async def _content(request: Request, largest: int) -> bytes | None:
    """The body; None when it is larger than that."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > largest:
                return None
    except ClientDisconnect:
        raise InvalidRequestError("The body did not arrive whole", not_done="Nothing was done") from None
    except asyncio.CancelledError:  # the server's patience is over; else uvicorn would answer, in plain text
        raise UnavailableError(
            "The server ends, and the body has not arrived whole", not_done="Nothing was done"
        ) from None
    return bytes(content)


async def _unless_it_ends(answer: Awaitable[Response]) -> Response:
    """The answer; OutcomeUnknownError when the server ends before it is there."""
    try:
        return await answer
    except asyncio.CancelledError:
        raise OutcomeUnknownError(
            "The server ended before the answer was there", why="The change may yet be stored"
        ) from None


def _json(data: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return _reply(_inert(data), status, headers)


def _reply(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(content, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def _inert(data: Mapping[str, object]) -> bytes:
    """JSON of printable ASCII alone: whoever has it on his terminal sees what is there, and nothing acts on it."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f").encode("ascii")


def _error(error: RouticError, status: int | None = None) -> Response:
    """The reply that carries the error, with its own status or the one given."""
    status = status or http_status(error)
    if isinstance(error, InvalidRequestError) and not error.not_done:
        error.not_done = "Nothing was done"
    headers = dict(_OPENAI_RETRIES) if status < _INTERNAL else {}
    if isinstance(error, CredentialError):
        headers["WWW-Authenticate"] = "Bearer"
    return _json(error_object(error), status, headers)


async def _no_such_route(request: Request, exception: Exception) -> Response:
    status = exception.status_code if isinstance(exception, HTTPException) else _INTERNAL
    code, message = {
        404: ("not_found", "There is nothing at this address"),
        405: ("method_not_allowed", "This address does not take the method"),
    }.get(status, ("failed", "The request could not be answered"))
    inner = {"message": f"{message}.", "type": "invalid_request_error", "param": None, "code": code, "what": message}
    headers = getattr(exception, "headers", None)
    del request
    return _json({"error": inner}, status, headers)


async def _internal_error(request: Request, exception: Exception) -> Response:
    """Of which type it was, and no more: its text may quote what it choked on."""
    del request
    return _error(
        RouticError(
            f"Internal error: {type(exception).__name__}", why="This is a mistake in routic, not in the request"
        )
    )


def _about(parts: Parts) -> list[BaseRoute]:
    """What those who run the server ask of it."""

    async def healthz(_: Request) -> Response:
        return _json({"status": "ok"})

    async def readyz(_: Request) -> Response:
        def ready() -> None:
            with parts.services.service(DEFAULT_ACCOUNT, "readyz") as service:
                service.require_writable()

        try:
            await run_in_threadpool(ready)
        except RouticError as error:
            return _error(error, 503)
        return _json({"status": "ready"})

    async def metrics(_: Request) -> Response:
        if parts.metrics is None:
            return PlainTextResponse("")
        content, kind = parts.metrics()
        return Response(content, media_type=kind)

    described = _inert(document())  # once: it has a quarter of a megabyte, and never changes

    async def openapi(_: Request) -> Response:
        return _reply(described)

    handlers = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics, "/openapi.json": openapi}
    return [StarletteRoute(path, handler) for path, handler in handlers.items()]
