"""What the schemas of the OpenAPI document are put together from."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from routic_cli.domain.keys import KEY_ID_ALPHABET, KEY_ID_LENGTH
from routic_cli.domain.rules import HIGHEST_VERSION
from routic_cli.domain.times import LATEST

Schema = dict[str, object]

KEY_ID_PATTERN: Final = f"^key_[{KEY_ID_ALPHABET}]{{{KEY_ID_LENGTH}}}$"


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: dict[str, Schema], optional: dict[str, Schema] | None = None, **more: object) -> Schema:
    """An object without other fields than these."""
    properties = required | (optional or {})
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def one_of(kind: type[StrEnum]) -> Schema:
    """Any value of an enumeration."""
    return {"type": "string", "enum": [member.value for member in kind]}


def array(items: Schema, **more: object) -> Schema:
    """An array of such items."""
    return {"type": "array", "items": items, **more}


def nullable(schema: Schema) -> Schema:
    """The same, or null. `schema` has a single type, and no enumeration."""
    return schema | {"type": [schema["type"], "null"]}


def whole(lowest: int, highest: int, description: str = "") -> Schema:
    """A whole number within its bounds."""
    schema: Schema = {"type": "integer", "minimum": lowest, "maximum": highest}
    return schema | ({"description": description} if description else {})


def constant(text: str) -> Schema:
    return {"type": "string", "const": text}


KEY_ID: Final[Schema] = {"type": "string", "pattern": KEY_ID_PATTERN}
SHA256: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9a-f]{64}$",
    "description": "SHA-256 of the secret's UTF-8 text, in lowercase hexadecimal.",
}
TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
EVENT_ID: Final[Schema] = {
    "type": "string",
    "pattern": "^evt_[0-9a-f]{32}$",
    "description": "The second, and 16 digits that tell events of one second apart.",
}
TIME: Final = whole(0, LATEST, "Unix seconds.")
VERSION_NUMBER: Final = whole(1, HIGHEST_VERSION, "Versions are numbered from 1.")

ANY_WHOLE: Final[Schema] = {"type": "integer"}
NONE: Final[Schema] = {"type": "null"}


def listing(item: Schema, first: Schema, optional: dict[str, Schema] | None = None) -> Schema:
    return obj(
        {
            "object": constant("list"),
            "data": array(item),
            "first_id": first,
            "last_id": first,
            "has_more": FLAG,
        },
        optional,
    )
