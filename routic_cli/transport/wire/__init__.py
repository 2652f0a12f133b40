"""Domain to JSON and back. The only room that knows the admin API's field names."""

from routic_cli.transport.wire.errors import error_object
from routic_cli.transport.wire.objects import (
    KEY_FIELDS,
    ROTATION_FIELDS,
    VERDICT_FIELDS,
    JsonObject,
    key_object,
    list_object,
    placement_object,
    revocation_object,
    rotation_object,
    verdict_object,
    version_use_object,
)
from routic_cli.transport.wire.usage import (
    EVENT_FIELDS,
    FINDING_FIELDS,
    event_object,
    finding_object,
    summary_fields,
    summary_object,
)

__all__ = [
    "EVENT_FIELDS",
    "FINDING_FIELDS",
    "KEY_FIELDS",
    "ROTATION_FIELDS",
    "VERDICT_FIELDS",
    "JsonObject",
    "error_object",
    "event_object",
    "finding_object",
    "key_object",
    "list_object",
    "placement_object",
    "revocation_object",
    "rotation_object",
    "summary_fields",
    "summary_object",
    "verdict_object",
    "version_use_object",
]
