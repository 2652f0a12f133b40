"""Key records of other programs become keys, or an error that names the line and repeats no secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.domain.keys import DEFAULT_SCOPES, Key, KeyTraits, NewKey, Scope, is_key_id
from routic_cli.domain.lifecycle import key_from_new
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.rules import checked_key
from routic_cli.importing.fields import adapted_name
from routic_cli.importing.reader import Line, read_lines
from routic_cli.transport.wire import key_object
from tests.support.keys import HINT, NOW, key_id, new_key, sha256

HASH = sha256(1)
BASE64 = base64.b64encode(bytes.fromhex(HASH)).decode()


def read(*lines: str | bytes | dict[str, Any]) -> list[Line]:
    def encoded() -> Iterable[bytes]:
        for line in lines:
            text = json.dumps(line) if isinstance(line, dict) else line
            yield text.encode() if isinstance(text, str) else text

    return list(read_lines(encoded(), NOW))


def key_in(line: str | bytes | dict[str, Any]) -> NewKey:
    [result] = read(line)
    assert result.error is None, result.error
    assert result.key is not None
    return result.key


def error_in(line: str | bytes | dict[str, Any]) -> RouticError:
    [result] = read(line)
    assert result.key is None
    assert isinstance(result.error, InvalidRequestError)
    return result.error


# routic's own


def test_a_record_of_name_and_hash_is_a_key() -> None:
    key = key_in({"name": "prod", "sha256": HASH, "hint": HINT})

    assert is_key_id(key.id)
    assert key.traits == KeyTraits("prod")
    assert (key.version.number, key.version.sha256, key.version.hint, key.version.created_at) == (1, HASH, HINT, NOW)


def test_every_field_of_a_record_is_taken_over() -> None:
    key = key_in(
        {
            "id": key_id(1),
            "name": "prod",
            "sha256": HASH.upper(),
            "tags": {"env": "prod"},
            "scopes": ["keys:read", "api"],
            "rpm": 60,
            "created_at": NOW - 5,
            "expires_at": "2027-01-15T08:00:00+00:00",
        }
    )
    assert key.id == key_id(1)
    assert key.traits == KeyTraits("prod", {"env": "prod"}, (Scope.KEYS_READ, Scope.API), 60, 1_800_000_000)
    assert (key.version.sha256, key.version.hint, key.version.created_at) == (HASH, "…", NOW - 5)


def test_what_keys_list_shows_can_be_imported_again() -> None:
    new = new_key(
        1, "prod", tags={"a": "ü"}, rpm=5, expires_at=NOW + 9, scopes=(Scope.API, Scope.USAGE_READ), at=NOW - 7
    )
    key: Key = key_from_new(new, NOW)

    assert key_in(key_object(key, NOW)) == new


def test_of_a_key_with_versions_the_current_one_is_taken() -> None:
    versions = [
        {"version": 1, "status": "retiring", "sha256": sha256(8), "hint": "sk-old1…old1"},
        {"version": 2, "status": "current", "sha256": HASH, "hint": HINT},
    ]
    key = key_in({"name": "prod", "versions": versions})
    assert (key.version.sha256, key.version.hint, key.version.number) == (HASH, HINT, 1)


@pytest.mark.parametrize("versions", [[], [{"status": "ended", "sha256": HASH}], [{"status": "current"}] * 2, ["x"]])
def test_a_key_without_one_current_version_is_refused(versions: list[object]) -> None:
    assert "current" in error_in({"name": "prod", "versions": versions}).what


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("sha256", "abc"),
        ("sha256", None),
        ("sha256", HASH[:-1]),
        ("sha256", "g" * 64),
        ("hint", 5),
        ("id", "prod"),
        ("id", 5),
        ("tags", ["a"]),
        ("tags", {"a": 1}),
        ("scopes", ["root"]),
        ("scopes", [5]),
        ("rpm", "60"),
        ("rpm", 1.5),
        ("rpm", True),
        ("created_at", "yesterday"),
        ("expires_at", []),
        ("expires_at", True),
        ("expires_at", 1e400),
        ("expires_at", float("nan")),
        ("expires_at", 10**400),
    ],
)
def test_a_field_that_is_wrong_is_named(field: str, value: object) -> None:
    error = error_in({"name": "prod", "sha256": HASH} | {field: value})
    assert error.param == field


def test_a_key_that_was_revoked_there_is_not_brought_to_life_here() -> None:
    assert "revoked" in error_in({"name": "prod", "sha256": HASH, "status": "revoked"}).what


@pytest.mark.parametrize("hint", ["Ky9Pf34qY6Nb3wWD", "sk-…abcdefgh", "a text of any kind", "", None])
def test_a_hint_that_gives_more_away_than_a_mask_does_is_dropped(hint: str | None) -> None:
    assert key_in({"name": "prod", "sha256": HASH, "hint": hint}).version.hint == "…"


# LiteLLM


def test_a_row_of_litellm_is_a_key() -> None:
    key = key_in(
        {
            "token": HASH,
            "key_name": "sk-...Ab12",
            "key_alias": "Prod Backend (EU)",
            "rpm_limit": 60,
            "expires": "2027-01-15T08:00:00.12",
            "created_at": "2026-11-01 00:00:00+00",
            "blocked": None,
            "team_id": "t",
            "models": [],
            "spend": 0.5,
            "metadata": {},
        }
    )
    assert key.traits == KeyTraits("Prod-Backend-EU", {}, DEFAULT_SCOPES, 60, 1_800_000_000)
    assert (key.version.sha256, key.version.hint, key.version.created_at) == (HASH, "sk-...Ab12", 1_793_491_200)


def test_a_row_of_litellm_without_an_alias_is_named_after_its_hash() -> None:
    assert key_in({"token": HASH, "key_alias": None}).traits.name == f"litellm-{HASH[:12]}"


def test_a_row_of_litellm_that_is_blocked_or_not_hashed_is_refused() -> None:
    assert "blocked" in error_in({"token": HASH, "key_alias": "a", "blocked": True}).what
    assert error_in({"token": "not-hashed", "key_alias": "a"}).param == "token"


# Unkey


def test_a_key_of_unkey_is_a_key() -> None:
    key = key_in(
        {
            "hash": {"value": BASE64, "variant": "sha256_base64"},
            "name": "数据 pipeline",
            "start": "prod",
            "expires": 1_800_000_000_999,
            "createdAt": 1_793_491_200_000,
            "enabled": True,
        }
    )
    assert key.traits == KeyTraits("数据-pipeline", expires_at=1_800_000_000)
    assert (key.version.sha256, key.version.hint, key.version.created_at) == (HASH, "prod…", 1_793_491_200)


def test_a_key_of_unkey_may_be_a_bare_hash() -> None:
    key = key_in({"hash": BASE64})
    assert (key.traits.name, key.version.sha256) == (f"unkey-{HASH[:12]}", HASH)


@pytest.mark.parametrize(
    "hash_", ["", "%%%", "ü", "aGVsbG8=", 5, None, {"value": BASE64}, {"value": BASE64, "variant": "blake3"}]
)
def test_a_hash_of_unkey_is_a_sha256_in_base64(hash_: object) -> None:
    assert error_in({"hash": hash_}).param == "hash"


def test_a_key_of_unkey_that_is_disabled_is_refused() -> None:
    assert "disabled" in error_in({"hash": BASE64, "enabled": False}).what


# Names


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("prod", "prod"),
        ("a__b..c--d", "a__b..c--d"),
        ("Prod Backend", "Prod-Backend"),
        ("  (x) / y  ", "x-y"),
        ("user@example.com", "user-example.com"),
        ("数据", "数据"),
        ("cafe\u0301", "café"),
        ("_.-a", "a"),
        ("🦊", ""),
        ("x" * 90, "x" * 64),
    ],
)
def test_names_of_others_are_kept_as_near_as_our_rules_allow(theirs: str, ours: str) -> None:
    assert adapted_name(theirs) == ours


# Lines


def test_lines_are_numbered_as_an_editor_numbers_them() -> None:
    lines = read("\n", {"name": "a", "sha256": HASH}, "  \t \r\n", "junk", {"name": "b", "sha256": HASH})
    assert [(line.number, line.error is None) for line in lines] == [(2, True), (4, False), (5, True)]


def test_bad_lines_keep_no_others_out() -> None:
    good = {"name": "a", "sha256": HASH}
    lines = read(good, "{", good, b"\xff", good, "5", good, "[]")
    assert [line.error is None for line in lines] == [True, False] * 4


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"", b"  \n"])
def test_a_byte_order_mark_and_any_line_end_are_fine(ending: bytes) -> None:
    line = b"\xef\xbb\xbf" + json.dumps({"name": "a", "sha256": HASH}).encode() + ending
    assert key_in(line).traits.name == "a"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('[{"name": "a"}]', "jq"),
        ("5", "no key record"),
        ("null", "no key record"),
        ('"text"', "no key record"),
        ("{}", "no key record"),
        ('{"name": "a"}', "no key record"),
        ("{'name': 'a'}", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 5000, "not JSON"),
        ("name,sha256", "not JSON"),
        ('{"name": "' + "a" * (1 << 20) + '"}', "1 MiB"),
    ],
    ids=range(12),
)
def test_what_is_no_record_is_said_to_be_none(line: str | bytes, said: str) -> None:
    assert said in error_in(line).what


@pytest.mark.parametrize(
    "template",
    [
        '{{"name": "a", "sha256": "{hash}", "hint": "{secret}"}}',
        '{{"token": "{secret}", "key_alias": "a"}}',
        '{{"name": "{secret}", "sha256": "{hash}"}}',
        '{{"name": "a", "sha256": "{hash}", "metadata": {{"old": ["{secret}"]}}}}',
        '{{"name": "a", "sha256": "{hash}", "{secret}": 1}}',
        'KEY="{secret}"',
        "{secret}",
    ],
)
def test_a_secret_in_plain_text_is_refused_and_not_repeated(template: str) -> None:
    secret = mint_secret().reveal()
    error = error_in(template.format(secret=secret, hash=HASH))

    assert secret not in " ".join([*error.sentences(), error.remedy, repr(error.args), repr(error.__cause__)])


@pytest.mark.parametrize("field", ["name", "hint", "tag", "tag name"])
def test_a_secret_behind_escapes_gets_no_further_than_the_door(field: str) -> None:
    secret = mint_secret().reveal()
    escaped = f"\\u0073k-{secret[3:]}"
    record = {"name": "a", "hint": HINT, "tag": "x", "tag name": "t"} | {field: escaped}
    line = (
        f'{{"name": "{record["name"]}", "sha256": "{HASH}", "hint": "{record["hint"]}",'
        f' "tags": {{"{record["tag name"]}": "{record["tag"]}"}}}}'
    )
    key = key_in(line)

    if field == "hint":
        assert key.version.hint == "…"
        return
    with pytest.raises(InvalidRequestError) as caught:
        checked_key(key)
    assert secret not in " ".join([*caught.value.sentences(), caught.value.remedy])


# Anything at all

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([HASH, BASE64, HINT, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = """
name sha256 versions hint id status tags scopes rpm limits created_at expires_at token key_alias key_name rpm_limit
expires blocked hash start enabled createdAt
"""
_fields = st.sampled_from(_FIELDS.split())
_record = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("a") | _json,
        "sha256": st.just(HASH) | _json,
        "token": st.just(HASH) | _json,
        "hash": st.just(BASE64) | _json,
        "versions": st.lists(st.fixed_dictionaries({"status": st.just("current"), "sha256": _json}), max_size=2),
    },
)


@given(st.tuples(_record, st.dictionaries(_fields, _json, max_size=4)).map(lambda pair: pair[0] | pair[1]))
def test_any_record_is_a_key_that_can_be_checked_or_an_error_of_ours(record: dict[str, Any]) -> None:
    [line] = read(record)
    if line.key is None:
        assert isinstance(line.error, RouticError)
        return
    try:
        checked_key(line.key)
    except RouticError:
        return


@given(st.lists(st.binary(max_size=60) | _json.map(lambda value: json.dumps(value).encode()), max_size=5))
def test_any_bytes_are_lines_that_are_keys_or_errors_of_ours(lines: list[bytes]) -> None:
    for line in read_lines(lines, NOW):
        assert (line.key is None) is isinstance(line.error, RouticError)
