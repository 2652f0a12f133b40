"""Nothing that comes from outside acts on the terminal it is shown at."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.key_format import ALPHABET, contains_secret_shape
from routic_cli.domain.minting import mint_secret
from routic_cli.output.inert import inert, inert_lines, without_secrets

# Any code point at all, lone surrogates included, with the dangerous ones made likely.
_DANGEROUS = "\x00\x07\x08\t\n\r\x1b\x7f\x85\x9b\xad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff"
_ANY_TEXT = st.text(st.one_of(st.sampled_from(_DANGEROUS), st.characters(codec=None)))
_PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u115f\u1160\u3164\uffa0"))

_KEYS = [mint_secret().reveal() for _ in range(4)]
_GLUE = st.one_of(
    st.sampled_from([*_KEYS, *(key[:cut] for key in _KEYS for cut in (3, 5, 30)), "sk-", "é", "-", " "]),
    st.text(ALPHABET, max_size=48),
)


@given(_ANY_TEXT)
def test_the_result_has_no_control_format_separator_or_surrogate_character(text: str) -> None:
    assert not [char for char in inert(text) if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(_PRINTABLE)
def test_printable_text_is_unchanged(text: str) -> None:
    assert inert(text) == text


@given(_ANY_TEXT)
def test_making_inert_twice_changes_nothing_more(text: str) -> None:
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("abc\u202efed", r"abc\u202efed"),
        ("a\u200bb", r"a\u200bb"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\udce9.env", r"\udce9.env"),
        ("\U000e0041", r"\U000e0041"),
        ("prod\u3164", r"prod\u3164"),
        ("[bold]数据 :key: é", "[bold]数据 :key: é"),
    ],
)
def test_what_would_act_or_hide_is_shown(text: str, shown: str) -> None:
    assert inert(text) == shown


def test_our_own_newlines_stay() -> None:
    assert inert_lines("one\ntwo\x1b") == "one\ntwo\\x1b"


def test_a_secret_in_a_message_is_masked_and_the_rest_of_the_message_stays() -> None:
    secret = mint_secret().reveal()

    shown = without_secrets(f"the server said: no key {secret}, go away")

    assert secret not in shown
    assert secret[10:30] not in shown
    assert shown.startswith("the server said: no key sk-")
    assert shown.endswith(", go away")


@given(st.lists(_GLUE, max_size=12).map("".join))
def test_of_keys_glued_to_anything_none_is_left(text: str) -> None:
    shown = without_secrets(text)

    assert not [key for key in _KEYS if key in shown]
    assert not contains_secret_shape(shown)


def test_a_key_behind_the_beginning_of_another_is_masked() -> None:
    secret = mint_secret().reveal()

    assert secret not in without_secrets(f"xsk-{'a1B' * 14}z{secret}.py")
    assert secret not in without_secrets(f"xsk-{secret}")


def test_of_several_keys_each_leaves_its_hint_and_the_words_between_stay() -> None:
    one, other = mint_secret().reveal(), mint_secret().reveal()

    shown = without_secrets(f"a {one} b {other} c")

    assert shown == f"a {one[:7]}…{one[-4:]} b {other[:7]}…{other[-4:]} c"
