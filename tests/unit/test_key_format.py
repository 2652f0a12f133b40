"""The shape of a secret, and what may be said of a text that has it, or nearly."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.key_format import (
    ALPHABET,
    LENGTH,
    check_characters,
    contains_secret_shape,
    defect_of,
    hint_of,
    is_hint,
    is_well_formed,
)

# Worked out by hand-written CRC-32 (polynomial 0xEDB88320, bit by bit) and long division by powers of 62, without zlib
# or routic. Whoever writes another reader of the format can test it with these.
VECTORS = {
    # the lowest and the highest body
    "sk-" + "0" * 39: "46YqGR",  # 0xe033d59b
    "sk-" + "z" * 39: "1QDtYA",  # 0x4db3ce3a
    # every character of the alphabet once or more, in its order
    "sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabc": "3Lu1jX",  # 0xb71bd53b
    "sk-NOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz": "37o2bL",  # 0xaab17f93
    # small remainders are padded with zeros on the left: one, two and three of them
    "sk-000000000000000000000000000000000000002": "0GAVIl",  # 0x0e3db4b7
    "sk-000000000000000000000000000000000000257": "00jCPz",  # 0x00a46013
    "sk-000000000000000000000000000000000014687": "000Hbh",  # 0x00010865
    # one like those that are minted
    "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP": "16aSEj",  # 0x3c687721
}

bodies = st.text(st.sampled_from(ALPHABET), min_size=39, max_size=39).map(lambda text: f"sk-{text}")
keys = bodies.map(lambda body: body + check_characters(body))


@pytest.mark.parametrize(("body", "check"), VECTORS.items())
def test_published_vectors(body: str, check: str) -> None:
    assert check_characters(body) == check
    assert is_well_formed(body + check)
    assert defect_of(body + check) is None
    assert len(body + check) == LENGTH == 48


@given(keys)
def test_what_has_its_check_characters_is_well_formed(key: str) -> None:
    assert is_well_formed(key)
    assert re.fullmatch(r"sk-[0-9A-Za-z]{45}", key)


@given(key=keys, place=st.integers(0, LENGTH - 1), char=st.characters(codec="utf-8"))
def test_one_wrong_character_anywhere_is_noticed(key: str, place: int, char: str) -> None:
    wrong = key[:place] + char + key[place + 1 :]

    assert is_well_formed(wrong) is (wrong == key)
    assert (defect_of(wrong) is None) is (wrong == key)


@given(key=keys, place=st.integers(3, LENGTH - 7))
def test_two_neighbours_that_changed_places_are_noticed(key: str, place: int) -> None:
    wrong = key[:place] + key[place + 1] + key[place] + key[place + 2 :]

    assert is_well_formed(wrong) is (wrong == key)


@given(key=keys, length=st.integers(0, LENGTH - 1))
def test_what_was_not_copied_completely_is_noticed_and_said(key: str, length: int) -> None:
    for part in (key[:length], key[-length:] if length else ""):
        assert not is_well_formed(part)
        defect = defect_of(part)
        assert defect is not None
        if part.startswith("sk-"):
            assert "not copied completely" in defect


@given(key=keys, before=st.text(max_size=3), after=st.text(max_size=3))
def test_what_was_copied_with_it_is_noticed(key: str, before: str, after: str) -> None:
    assert is_well_formed(before + key + after) is (before + after == "")


def test_no_look_alike_digit_or_line_end_passes() -> None:
    body = "sk-" + "0" * 39
    for wrong in (body + "46YqGR\n", body.replace("0", "\u0660", 1) + "46YqGR", body.upper() + "46YqGR", ""):
        assert not is_well_formed(wrong)


@given(st.text(max_size=60) | keys.map(lambda key: key[:-1]) | keys.map(lambda key: key[:20] + "!" + key[21:]))
def test_a_defect_never_repeats_the_text(text: str) -> None:
    defect = defect_of(text) or ""
    random_part = text.removeprefix("sk-")
    assert len(random_part) < 9 or random_part not in defect


# Hints


@given(keys)
def test_a_hint_shows_four_characters_at_each_end(key: str) -> None:
    assert hint_of(key) == f"sk-{key[3:7]}…{key[-4:]}"
    assert is_hint(hint_of(key))
    assert not contains_secret_shape(hint_of(key))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "…"),
        ("short", "…"),
        ("sk-short", "sk-…"),
        ("x" * 19, "…"),
        ("abcd" + "x" * 12 + "wxyz", "abcd…wxyz"),
        ("sk-" + "x" * 16, "sk-…"),
        ("sk-abcd" + "x" * 9 + "wxyz", "sk-abcd…wxyz"),
        ("a b c d e f g h i j k l", "a b … k l"),
        ("é" * 30, "…"),
        ("sk-\x1b[2J" + "x" * 40, "sk-…"),
    ],
)
def test_a_short_or_odd_text_is_masked_whole(text: str, hint: str) -> None:
    assert hint_of(text) == hint


@given(st.text(max_size=80))
def test_every_hint_is_a_hint_and_gives_at_most_eight_characters_away(text: str) -> None:
    hint = hint_of(text)
    assert is_hint(hint)
    assert len(hint.replace("sk-", "").replace("…", "")) <= 8


@pytest.mark.parametrize("text", ["sk-AbCd…WxYz", "sk-AbCd...WxYz", "sk-…", "…", "abcd…wxyz", "sk-...ab12"])
def test_masks_are_hints(text: str) -> None:
    assert is_hint(text)


@pytest.mark.parametrize("text", ["", "prod", "sk-AbCdWxYz", "key_0", "sk-AbCde…WxYz", "sk-Ab…Cd…Ef", "a\n…b", "…\n"])
def test_names_and_longer_texts_are_no_hints(text: str) -> None:
    assert not is_hint(text)


# Texts with a secret in them


@given(key=keys, before=st.sampled_from(["", " ", "=", '"', "KEY=", "_", "a\n", "é", "/", "-"]))
def test_a_key_in_a_text_is_found(key: str, before: str) -> None:
    assert contains_secret_shape(before + key)
    assert contains_secret_shape(before + key + "\ntext")


@pytest.mark.parametrize(
    "text",
    [
        "sk-" + "a1B2" * 5,
        "sk-proj-" + "aB3_" * 10,
        "sk-ant-api03-" + "aB3-" * 10,
        "--name=sk-" + "a1B2" * 11,
        "https://user:sk-" + "a1B2" * 11 + "@host/",
    ],
)
def test_cut_keys_and_those_of_others_are_found(text: str) -> None:
    assert contains_secret_shape(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk-",
        "sk-…",
        "sk-AbCd…WxYz",
        "sk-learn-tutorials",
        "sk-learn-tutorials-for-beginners-and-experts",
        "desk-" + "a1B2" * 11,
        "task-20261101-" + "a1B2" * 11,
        "/srv/disk-0/Project-Files/2026/report-final.txt",
        "flask-RESTful-2-with-a-long-name-behind-it",
        "sk-2026-11-01-nightly-build-of-the-model",
        "SK-LEARN-2026-TUTORIALS-AND-OTHER-THINGS",
        "key_0123456789abcdef",
        "a" * 64,
    ],
)
def test_names_and_paths_are_not(text: str) -> None:
    assert not contains_secret_shape(text)


def test_the_search_takes_a_time_in_proportion_to_the_text() -> None:
    # With a cost that grows with the square this takes hours; another process, so that it fails and does not hang.
    code = """
from routic_cli.domain.key_format import contains_secret_shape
for part in ("sk-", "sk-a-", "sk-aB-", "sk-1-", "-sk-"):
    assert not contains_secret_shape(part * 300_000)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
