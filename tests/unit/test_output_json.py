"""What scripts read: whole, valid, selectable, and harmless on a screen."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.output.json_out import json_text

KEY: dict[str, Any] = {"object": "api_key", "id": "key_0", "name": "prod", "tags": {"env": "prod"}}
KNOWN = ("object", "id", "name", "tags", "value")


def list_of(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": list(rows), "first_id": "key_0", "last_id": "key_0", "has_more": False}


@given(st.text(st.characters(codec=None)))
def test_every_text_comes_back_as_it_was_and_acts_on_no_terminal(text: str) -> None:
    written = json_text({"name": text})

    assert json.loads(written) == {"name": text}
    assert not [char for char in written if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_letters_of_all_scripts_stay_legible() -> None:
    assert json_text({"name": "数据-é"}) == '{"name":"数据-é"}'


def test_one_line_for_a_pipe_and_indented_for_a_person() -> None:
    assert "\n" not in json_text(KEY)
    assert json_text({"id": "a"}, pretty=True) == '{\n  "id": "a"\n}'


def test_fields_select_from_an_object_in_the_order_asked_for() -> None:
    assert json_text(KEY, ["name", "id"], known=KNOWN) == '{"name":"prod","id":"key_0"}'


def test_fields_select_inside_of_a_list_and_leave_its_envelope() -> None:
    answer = json.loads(json_text(list_of(KEY, {**KEY, "id": "key_1"}), ["id"], known=KNOWN))

    assert answer == list_of({"id": "key_0"}, {"id": "key_1"})


def test_a_field_that_is_known_and_absent_is_null() -> None:
    assert json_text(KEY, ["value"], known=KNOWN) == '{"value":null}'


@pytest.mark.parametrize("obj", [KEY, list_of(KEY), list_of()], ids=["object", "list", "empty list"])
def test_an_unknown_field_lists_the_valid_ones(obj: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        json_text(obj, ["id", "nmae"], known=KNOWN)

    assert "nmae" in caught.value.what
    assert "object, id, name, tags, value" in caught.value.why
    assert caught.value.param == "fields"


def test_without_a_list_of_valid_fields_the_object_itself_tells_them() -> None:
    assert json_text(list_of(KEY), ["id"]) == json_text(list_of(KEY), ["id"], known=KNOWN)


def test_no_field_at_all_is_a_mistake_too() -> None:
    with pytest.raises(InvalidRequestError, match="names no field"):
        json_text(KEY, [], known=KNOWN)


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text({"cost": float("nan")})
