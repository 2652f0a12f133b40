"""LiteLLM: rows of `LiteLLM_SpendLogs`, where `api_key` is the SHA-256 of the key in hexadecimal."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import orjson

from routic_cli.domain.secret import Fingerprint, is_fingerprint
from routic_cli.domain.usage import Outcome, UsageEvent
from routic_cli.importing.logs.credentials import NOTHING, Presented, in_key_header, in_uri, masked, outcome_of
from routic_cli.importing.logs.fields import ABSENT, BadLineError, Record, cost, moment, text, whole_number

NAME: Final = "LiteLLM spend logs"

_OK: Final = 200
_FAILED: Final = 500
_AGENT: Final = "User-Agent: "
_PATHS: Final = {
    "completion": "/chat/completions",
    "text_completion": "/completions",
    "embedding": "/embeddings",
    "responses": "/responses",
    "image_generation": "/images/generations",
    "moderation": "/moderations",
    "transcription": "/audio/transcriptions",
    "speech": "/audio/speech",
}
_NOWHERE: Final = in_uri("/")


def recognises(record: Record) -> bool:
    """A start and what it cost: no other log has both."""
    return "startTime" in record and "spend" in record


def names_request(record: Record) -> bool:
    """Whether it has its id."""
    return record.get("request_id") not in ABSENT


def read(record: Record, identity: int) -> UsageEvent:
    """The event of one row. The request id is unique in their table, and so it is what tells rows apart."""
    metadata = _object(record, "metadata")
    code, was_refused = _status(record, metadata)
    key = _key(text(record, "api_key"))
    request_id = text(record, "request_id")
    return UsageEvent(
        moment(record.get("startTime"), "startTime"),
        outcome_of(code, key, _NOWHERE) if was_refused else Outcome.ALLOWED.value,
        "POST",
        _path(text(record, "call_type")),
        code,
        masked(text(record, "requester_ip_address") or text(metadata, "requester_ip_address")),
        masked(text(metadata, "user_agent") or _agent(record)),
        masked(request_id),
        (),
        None,
        None,
        key.sha256,
        None,
        None,
        whole_number(record, "prompt_tokens"),
        whole_number(record, "completion_tokens"),
        cost(record, "spend"),
        masked(text(record, "model")) or None,
        _identity(request_id) if request_id else identity,
    )


def _key(value: str) -> Presented:
    """It is stored hashed. A raw one is hashed here, and a name such as `litellm_proxy_master_key` is none."""
    if not value:
        return NOTHING
    if is_fingerprint(value):
        return Presented(is_there=True, sha256=Fingerprint(value), is_well_formed=True)
    return in_key_header(value) if value.startswith("sk-") else Presented(True, None, True)


def _status(record: Record, metadata: Record) -> tuple[int, bool]:
    """What the caller was answered, and whether it was LiteLLM that said no, and not the model's provider."""
    if "failure" not in (record.get("status"), metadata.get("status")):
        return _OK, False
    error = metadata.get("error_information")
    error = error if isinstance(error, dict) else {}
    code = error.get("error_code")
    number = int(code) if isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) == 3 else code  # noqa: PLR2004
    if not isinstance(number, int) or isinstance(number, bool) or not 100 <= number <= 999:  # noqa: PLR2004
        number = _FAILED
    return number, not error.get("llm_provider")


def _path(call_type: str) -> str:
    """The route behind a call's type; `acompletion` is the same as `completion`."""
    return _PATHS.get(call_type) or _PATHS.get(call_type.removeprefix("a")) or in_uri(f"/{call_type}").path


def _agent(record: Record) -> str:
    """LiteLLM puts the user agent into the tags, without and with its version."""
    tags = _parsed(record.get("request_tags"))
    if not isinstance(tags, list):
        return ""
    agents = (tag.removeprefix(_AGENT) for tag in tags if isinstance(tag, str) and tag.startswith(_AGENT))
    return max(agents, key=len, default="")


def _object(record: Record, field: str) -> Record:
    value = _parsed(record.get(field))
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadLineError(f"'{field}' is not an object")
    return value


def _parsed(value: Any) -> Any:
    """Their columns of JSON are objects in one export and texts in another."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except ValueError:
        return None


def _identity(request_id: str) -> int:
    digest = hashlib.blake2b(request_id.encode("utf-8", "backslashreplace"), digest_size=8, person=b"litellm")
    return int.from_bytes(digest.digest(), "big", signed=True)
