"""Caddy: its JSON access logs, as its `log` directive writes them."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.credentials import (
    flags_of,
    in_authorization,
    in_key_header,
    in_uri,
    masked,
    outcome_of,
)
from routic_cli.importing.logs.fields import BadLineError, Record, moment, nested, status, text

NAME: Final = "Caddy JSON"


def recognises(record: Record) -> bool:
    """A time called `ts` and an object called `request`; Caddy's other logs have no request."""
    return "ts" in record and isinstance(record.get("request"), dict)


def names_request(record: Record) -> bool:
    """Whether the one who called, or a proxy before, gave it an id."""
    return bool(_header(nested(nested(record, "request"), "headers"), "X-Request-Id"))


def read(record: Record, identity: int) -> UsageEvent:
    """The event of one line."""
    time = moment(record.get("ts"), "ts")
    request = nested(record, "request")
    headers = nested(request, "headers")
    if "status" not in record:
        raise BadLineError("'status' is missing: it is of another of Caddy's logs")
    code = status(record)
    asked = in_uri(text(request, "uri"))
    key = in_authorization(_header(headers, "Authorization"))
    if not key.is_there and (bare := _header(headers, "X-Api-Key")):
        key = in_key_header(bare)
    address = text(request, "client_ip") or text(request, "remote_ip") or _host(text(request, "remote_addr"))
    return UsageEvent(
        time, outcome_of(code, key, asked), masked(text(request, "method")), asked.path, code, masked(address),
        masked(_header(headers, "User-Agent")), masked(_header(headers, "X-Request-Id")),
        flags_of(asked, plain_http=_is_plain(request, headers)), None, None, key.sha256 or asked.sha256, None,
        masked(_header(headers, "Origin")) or None, None, None, None, None, identity,
    )  # fmt: skip


def _header(headers: Record, name: str) -> str:
    """The first value of a header; Go writes all names in one way."""
    values = headers.get(name)
    if not values:
        return ""
    value = values[0] if type(values) is list else values
    if type(value) is not str:
        raise BadLineError(f"'request.headers.{name}' is not a list of texts")
    return value


def _is_plain(request: Record, headers: Record) -> bool:
    """Whether the call came without TLS: to Caddy, or to the proxy before it that Caddy trusts."""
    if request.get("tls"):
        return False
    client, peer = request.get("client_ip"), request.get("remote_ip")
    if client is not None and client != peer:  # Caddy believed the proxy: so may we
        return _header(headers, "X-Forwarded-Proto").partition(",")[0].strip().lower() != "https"
    return True


def _host(address: str) -> str:
    """Before 2.5 an address had its port with it."""
    return address.rpartition(":")[0].strip("[]")
