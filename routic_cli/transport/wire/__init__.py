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
)

__all__ = [
    "KEY_FIELDS",
    "ROTATION_FIELDS",
    "VERDICT_FIELDS",
    "JsonObject",
    "error_object",
    "key_object",
    "list_object",
    "placement_object",
    "revocation_object",
    "rotation_object",
    "verdict_object",
]
