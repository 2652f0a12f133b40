"""nginx: JSON access logs whose fields are named like nginx's variables."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from routic_cli.domain.keys import KeyId, is_key_id
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.credentials import (
    REMEMBERED,
    Asked,
    Presented,
    flags_of,
    in_authorization,
    in_key_header,
    in_uri,
    masked,
    outcome_of,
)
from routic_cli.importing.logs.fields import (
    ABSENT,
    BadLineError,
    Record,
    as_text,
    moment,
    status,
    text,
    whole_number,
)

NAME: Final = "nginx JSON"
_REQUEST_WORDS: Final = 3
_MOST_DIGITS: Final = 18


def recognises(record: Record) -> bool:
    """A status, with a time and a request under the names of nginx's variables."""
    return (
        "status" in record
        and ("time_iso8601" in record or "msec" in record)
        and ("request_uri" in record or "uri" in record or "request" in record)
    )


def names_request(record: Record) -> bool:
    """Whether it has its id."""
    return record.get("request_id") not in ABSENT


def read(record: Record, identity: int) -> UsageEvent:
    """The event of one line."""
    get = record.get
    msec = get("msec")
    time = moment(get("time_iso8601"), "time_iso8601") if msec in ABSENT else moment(msec, "msec")
    code = status(record)
    # What comes again with nearly each line is read once.
    try:
        method, asked = _request(
            get("request_method"), get("request_uri"), get("uri"), get("args", get("query_string")), get("request")
        )
        key, address, agent, origin, is_plain = _caller(
            get("http_authorization"), get("http_x_api_key"), get("remote_addr"), get("http_user_agent"),
            get("http_origin"), get("http_x_forwarded_proto"), get("scheme"),
        )  # fmt: skip
    except TypeError:  # it cannot be remembered: a list or an object
        raise BadLineError("a field of it is not a text") from None
    sha256 = key.sha256 or asked.sha256
    key_id, version = _routic_key(record) if sha256 is None else (None, None)
    return UsageEvent(
        time, outcome_of(code, key, asked), method, asked.path, code, address, agent,
        masked(as_text(get("request_id"), "request_id")),
        flags_of(asked, plain_http=is_plain), key_id, version, sha256, None, origin, None, None, None, None, identity,
    )  # fmt: skip


@lru_cache(REMEMBERED)
def _caller(
    authorization: object,
    key_alone: object,
    address: object,
    agent: object,
    origin: object,
    forwarded_scheme: object,
    scheme: object,
) -> tuple[Presented, str, str, str | None, bool]:
    """Who called: the key, the address, the agent, the origin, and whether it came without TLS."""
    key = in_authorization(as_text(authorization, "http_authorization"))
    if not key.is_there:
        key = in_key_header(as_text(key_alone, "http_x_api_key"))
    seen = as_text(forwarded_scheme, "http_x_forwarded_proto").partition(",")[0].strip() or as_text(scheme, "scheme")
    return (
        key,
        masked(as_text(address, "remote_addr")),
        masked(as_text(agent, "http_user_agent")),
        masked(as_text(origin, "http_origin")) or None,
        seen.lower() == "http",
    )


@lru_cache(REMEMBERED)
def _request(method: object, request_uri: object, uri: object, query: object, line: object) -> tuple[str, Asked]:
    """What was asked for, by the names of the variables, or by the line of the request that has both."""
    method, found = as_text(method, "request_method"), as_text(request_uri, "request_uri")
    if not found:
        found = as_text(uri, "uri")
        if found and (behind := as_text(query, "args")):
            found = f"{found}?{behind}"
    words = as_text(line, "request").split(" ")
    if len(words) == _REQUEST_WORDS:
        method, found = method or words[0], found or words[1]
    return masked(method), in_uri(found)


def _routic_key(record: Record) -> tuple[KeyId | None, int | None]:
    """Whose call it was, where the log has what /auth answered instead of the key itself."""
    key_id = text(record, "routic_key_id") or text(record, "upstream_http_x_routic_key_id")
    if not key_id:
        return None, None
    if not is_key_id(key_id):
        raise BadLineError("'routic_key_id' is not a key id")
    version = record.get("routic_key_version") or record.get("upstream_http_x_routic_key_version")
    if isinstance(version, str) and version.isascii() and version.isdecimal():
        version = int(version[:_MOST_DIGITS])
    if version in ABSENT:
        return KeyId(key_id), None
    field = {"routic_key_version": version}
    return KeyId(key_id), whole_number(field, "routic_key_version", lowest=1, highest=HIGHEST_VERSION)
