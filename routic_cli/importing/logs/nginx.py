"""nginx: JSON access logs whose fields are named like nginx's variables."""

from __future__ import annotations

from typing import Final

from routic_cli.domain.keys import KeyId, is_key_id
from routic_cli.domain.usage import UsageEvent
from routic_cli.importing.logs.credentials import (
    NOTHING,
    flags_of,
    in_authorization,
    in_key_header,
    in_uri,
    masked,
    outcome_of,
)
from routic_cli.importing.logs.fields import BadLineError, Record, moment, status, text, whole_number

NAME: Final = "nginx JSON"
_REQUEST_WORDS: Final = 3


def recognises(record: Record) -> bool:
    """A status, with a time and a request under the names of nginx's variables."""
    return (
        "status" in record
        and ("time_iso8601" in record or "msec" in record)
        and ("request_uri" in record or "uri" in record or "request" in record)
    )


def read(record: Record, identity: int) -> UsageEvent:
    """The event of one line."""
    msec = record.get("msec")
    time = moment(record.get("time_iso8601"), "time_iso8601") if msec in (None, "", "-") else moment(msec, "msec")
    method, uri = _request(record)
    asked = in_uri(uri)
    authorization = text(record, "http_authorization")
    key = in_authorization(authorization) if authorization else NOTHING
    if not key.is_there and (bare := text(record, "http_x_api_key")):
        key = in_key_header(bare)
    code = status(record)
    scheme = text(record, "http_x_forwarded_proto").partition(",")[0].strip() or text(record, "scheme")
    sha256 = key.sha256 or asked.sha256
    key_id = _key_id(record) if sha256 is None else None
    return UsageEvent(
        time,
        outcome_of(code, key, asked),
        masked(method),
        asked.path,
        code,
        masked(text(record, "remote_addr")),
        masked(text(record, "http_user_agent")),
        masked(text(record, "request_id")),
        flags_of(asked, plain_http=scheme.lower() == "http"),
        key_id,
        None if key_id is None else _version(record),
        sha256,
        None,
        masked(text(record, "http_origin")) or None,
        identity=identity,
    )


def _request(record: Record) -> tuple[str, str]:
    """The method, and the URI with its query where the line has one."""
    method = text(record, "request_method")
    uri = text(record, "request_uri")
    if not uri:
        uri = text(record, "uri")
        query = text(record, "args") or text(record, "query_string")
        if query:
            uri = f"{uri}?{query}"
    if uri and method:
        return method, uri
    words = text(record, "request").split(" ")
    if len(words) == _REQUEST_WORDS:
        return method or words[0], uri or words[1]
    return method, uri


def _key_id(record: Record) -> KeyId | None:
    """Whose call it was, where the log has what /auth answered instead of the key itself."""
    value = text(record, "routic_key_id") or text(record, "upstream_http_x_routic_key_id")
    if not value:
        return None
    if not is_key_id(value):
        raise BadLineError("'routic_key_id' is not a key id")
    return KeyId(value)


def _version(record: Record) -> int | None:
    value = record.get("routic_key_version") or record.get("upstream_http_x_routic_key_version")
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < len(str(1 << 63)):
        return int(value)
    return None if value in ("-", "") else whole_number({"routic_key_version": value}, "routic_key_version")
