"""The OpenAPI document of the server, put together from the table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from routic_cli import __version__
from routic_cli.domain.errors import RouticError, StoreLockedError
from routic_cli.domain.keys import Scope
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.server import openapi_auth
from routic_cli.server.examples import BODIES, REPLIES
from routic_cli.server.operations import ALWAYS, OPERATIONS, Operation
from routic_cli.server.replies import BODY_TOO_LARGE, TOO_LARGE, too_large
from routic_cli.server.routes import PREFIX, ROUTES, Route
from routic_cli.server.schema_parts import KEY_ID, Schema, ref, whole
from routic_cli.server.schemas import SCHEMAS
from routic_cli.transport.wire.errors import error_object, http_status

_PATH_PARAMETERS: Final[dict[str, Schema]] = {"id": KEY_ID, "n": whole(1, HIGHEST_VERSION)}
_MEANING: Final = {
    400: "The request is wrong; nothing was done",
    401: "No credential, or none that is good",
    403: "The credential lacks a scope",
    404: "No such key or version",
    409: "The store holds something that contradicts the request",
    410: "Revoked, expired or given up: gone",
    413: "The body is too large; nothing was done",
    500: "The server failed, or its store is damaged",
    503: "Try again",
}
_REQUEST_ID: Final[Schema] = {"$ref": "#/components/headers/RequestId"}


def document() -> Schema:
    """The OpenAPI 3.1 document, as JSON."""
    paths: dict[str, dict[str, Schema]] = {}
    for route in ROUTES:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "routic admin API",
            "version": __version__,
            "summary": "The keys of an LLM gateway.",
            "description": "Times are whole unix seconds. No reply but that of `mint_key` has a secret in it.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths | _public() | openapi_auth.described(_REQUEST_ID),
        "components": {
            "schemas": SCHEMAS,
            "headers": {
                "RequestId": {
                    "description": "The request's own, if it sent a short token; the access log has it too.",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[0-9A-Za-z._-]{1,64}$"},
                }
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of the store. Roles are scopes; `admin` stands for all of them.",
                }
            },
        },
    }


def _operation(route: Route) -> Schema:
    told = OPERATIONS[route.operation]
    names = re.findall(r"{(\w+)}", route.path)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]} for name in names
    ] + list(told.parameters)
    description = " ".join(text for text in (told.description, _needs(route.scopes)) if text)
    operation: Schema = {
        "operationId": route.operation,
        "tags": [route.path.split("/")[1]],
        "summary": told.summary,
        "description": description,
        # An operation with several alternatives needs one of them.
        "security": [{"bearer": [scope.value]} for scope in route.scopes] or [{"bearer": []}],
        "x-scopes": " or ".join(route.scopes) or told.scopes,
        "responses": _responses(route, told),
    }
    if parameters:
        operation["parameters"] = parameters
    if told.body:
        content = _json(ref(told.body), BODIES[told.body])
        operation["requestBody"] = {"required": told.body_needed, "content": content}
    return operation


def _needs(scopes: Iterable[Scope]) -> str:
    names = " or ".join(f"`{scope}`" for scope in scopes)
    return f"Needs {names}." if names else ""


def _responses(route: Route, told: Operation) -> dict[str, Schema]:
    responses: dict[str, Schema] = {
        "200": {
            "description": told.summary,
            "headers": {"x-request-id": _REQUEST_ID},
            "content": _json(ref(told.answer), REPLIES[told.answer]),
        }
    }
    by_status: dict[int, list[RouticError]] = {}
    for error in (*ALWAYS, *told.errors):
        by_status.setdefault(http_status(error), []).append(error)
    examples = {status: {error.code: error_object(error) for error in errors} for status, errors in by_status.items()}
    # Any body is read, and too much of it refused, whether or not the route has a use for one.
    examples[TOO_LARGE] = {BODY_TOO_LARGE: too_large(route.largest)}
    return responses | {str(status): _refusal(status, examples[status]) for status in sorted(examples)}


def _refusal(status: int, examples: dict[str, dict[str, object]]) -> Schema:
    headers: Schema = {"x-request-id": _REQUEST_ID}
    if status in {401, 403}:
        headers["WWW-Authenticate"] = {"required": True, "schema": {"type": "string", "const": "Bearer"}}
    return {
        "description": _MEANING[status],
        "headers": headers,
        "content": {
            "application/json": {
                "schema": ref("Error"),
                "examples": {code: {"value": value} for code, value in examples.items()},
            }
        },
    }


def _json(schema: Schema, example: object) -> Schema:
    return {"application/json": {"schema": schema, "examples": {"one": {"value": example}}}}


def _public() -> dict[str, dict[str, Schema]]:
    """What needs no credential."""
    unready = {"store_locked": error_object(StoreLockedError("The store is locked by another process"))}
    any_text: Schema = {"text/plain": {"schema": {"type": "string"}}}
    any_object: Schema = {"application/json": {"schema": {"type": "object"}}}
    return {
        "/healthz": {"get": _asked("healthz", "The process answers", _json(ref("Health"), {"status": "ok"}))},
        "/readyz": {
            "get": _asked(
                "readyz",
                "The store can be written",
                _json(ref("Readiness"), {"status": "ready"}),
                {"503": _refusal(503, unready)},
            )
        },
        "/metrics": {"get": _asked("metrics", "Counters, as Prometheus reads them", any_text)},
        "/openapi.json": {"get": _asked("openapi", "This document", any_object)},
    }


def _asked(name: str, summary: str, content: Schema, refusals: dict[str, Schema] | None = None) -> Schema:
    answer: Schema = {"description": summary, "headers": {"x-request-id": _REQUEST_ID}, "content": content}
    return {
        "operationId": name,
        "tags": ["server"],
        "summary": summary,
        "security": [],
        "x-scopes": "none, no credential",
        "responses": {"200": answer} | (refusals or {}),
    }
