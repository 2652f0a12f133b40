"""JSON for scripts: the admin API's objects, with the fields that were asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.output.console import Console
from routic_cli.output.inert import is_inert


def print_json(
    console: Console, obj: Mapping[str, Any], fields: Sequence[str] | None = None, *, known: Sequence[str] = ()
) -> None:
    """To standard output: indented for a person at a terminal, one line for a pipe, as gh does."""
    console.data(json_text(obj, fields, known=known, pretty=console.stdout_is_terminal) + "\n")


def json_text(
    obj: Mapping[str, Any], fields: Sequence[str] | None = None, *, known: Sequence[str] = (), pretty: bool = False
) -> str:
    """The object as JSON without a final newline.

    `fields` selects, in its own order, from the object or from each object in the `data` of a list object, which
    keeps its envelope. `known` names the fields there are, which an empty list cannot tell; a field that is known
    and absent is null. InvalidRequestError for any other.
    """
    if fields is not None:
        obj = _selected(obj, fields, known)
    layout: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    return _escaped(json.dumps(obj, ensure_ascii=False, allow_nan=False, **layout))


def _selected(obj: Mapping[str, Any], fields: Sequence[str], known: Sequence[str]) -> Mapping[str, Any]:
    rows: Sequence[Mapping[str, Any]] = obj["data"] if obj.get("object") == "list" else [obj]
    check_fields(fields, known or (tuple(rows[0]) if rows else ()))
    chosen = [{name: row.get(name) for name in fields} for row in rows]
    return {**obj, "data": chosen} if obj.get("object") == "list" else chosen[0]


def check_fields(fields: Sequence[str], known: Sequence[str]) -> None:
    """InvalidRequestError for a field that is not among the known ones; a command asks before it changes anything."""
    unknown = [name for name in fields if name not in known]
    if unknown or not fields:
        what = f"There is no field '{unknown[0]}'" if unknown else "--fields names no field"
        raise InvalidRequestError(what, why=f"The fields are {', '.join(known)}", param="fields")


def _escaped(text: str) -> str:
    r"""What a terminal would obey as `\u…`. Outside of strings JSON has nothing of the kind but our newlines."""
    if text.isprintable():
        return text
    return "".join(char if char == "\n" or is_inert(char) else _json_escape(char) for char in text)


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
