"""Names, tags, limits and reasons: what is let in, what is refused, and that a refusal repeats no secret."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.errors import InvalidNameError, InvalidRequestError
from routic_cli.domain.keys import KeyTraits, Scope
from routic_cli.domain.minting import mint_key_id
from routic_cli.domain.rules import checked_name, checked_reason, checked_rpm, checked_tags, checked_traits

SECRET = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "7",
        "prod-backend",
        "a.b_c-d",
        "A--b..c__d",
        "sk-learn-tutorials",
        "sk-short",
        "数据管道",
        "Ünïcödé",
        "имя-ключа",
        "مفتاح",
        "٣",
        "ǅungla",
        "a" * 64,
        "数" * 64,
    ],
)
def test_letters_and_digits_of_any_script_make_a_name(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        " a",
        "a ",
        "a\n",
        "-a",
        ".a",
        "_a",
        "…",
        "a/b",
        "a:b",
        "a@b",
        "a\\b",
        "a'b",
        "a*",
        "a…b",
        "a\x00b",
        "a\x1b[31m",
        "a\x7f",
        "a\x9b",
        "a\u00a0b",  # no-break space
        "a\u00adb",  # soft hyphen
        "a\u200bb",  # zero width space
        "a\u200db",  # zero width joiner
        "a\u202eb",  # right-to-left override
        "a\u2028b",  # line separator
        "a\u2066b",  # left-to-right isolate
        "\ufeffa",  # byte order mark
        "a\ue000",  # private use
        "a\ud800",  # half a character
        "a\U000e0041",  # tag character
        "a🦊",
        "²",
        "½",
        "a" * 65,
        "数" * 65,
    ],
)
def test_everything_else_does_not(name: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        checked_name(name)
    assert caught.value.param == "name"
    assert all(sentence.isprintable() for sentence in caught.value.sentences())


def test_names_are_kept_in_normal_form_c() -> None:
    assert checked_name("cafe\u0301") == "caf\u00e9"
    assert checked_name("\u1112\u1161\u11ab") == "\ud55c"


def test_the_length_is_counted_in_normal_form() -> None:
    assert checked_name("e\u0301" * 64) == "\u00e9" * 64


@given(st.text(max_size=80))
def test_a_name_is_printable_whole_and_stays_as_it_is(text: str) -> None:
    try:
        name = checked_name(text)
    except InvalidNameError:
        return
    assert 1 <= len(name) <= 64
    assert name.isprintable()
    assert name == unicodedata.normalize("NFC", name) == checked_name(name)
    assert not any(unicodedata.category(char)[0] in "CZ" for char in name)


@pytest.mark.parametrize("name", [SECRET, SECRET[:30], f"prod-{SECRET}"])
def test_a_name_with_a_secret_in_it_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        checked_name(name)
    assert name not in " ".join([*caught.value.sentences(), caught.value.remedy])


def test_a_name_shaped_like_an_id_is_refused() -> None:
    with pytest.raises(InvalidNameError):
        checked_name(mint_key_id())


# Tags


def test_tags_are_sorted_by_name() -> None:
    assert list(checked_tags({"b": "2", "a": "1", "c.d/e-f_g": ""})) == ["a", "b", "c.d/e-f_g"]


@pytest.mark.parametrize("name", ["", "a b", "-a", "ü", "a=b", "a" * 64, "a\n", SECRET])
def test_a_tags_name_has_its_rules(name: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_tags({name: "x"})
    assert SECRET not in " ".join(caught.value.sentences())


@pytest.mark.parametrize("value", ["a\nb", "a\x1b", "a\u202eb", "\ud800", "x" * 257, SECRET, f"was {SECRET}"])
def test_a_tags_value_has_its_rules(value: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_tags({"a": value})
    assert value not in " ".join(caught.value.sentences())


@pytest.mark.parametrize("value", ["", " ", "with spaces = and 'quotes'", "ü 🦊", "x" * 256])
def test_a_tags_value_may_be_any_printable_line(value: str) -> None:
    assert checked_tags({"a": value}) == {"a": value}


def test_a_key_has_at_most_32_tags() -> None:
    tags = {f"tag-{n:02}": "x" for n in range(32)}
    assert checked_tags(tags) == tags
    with pytest.raises(InvalidRequestError):
        checked_tags(tags | {"one-more": "x"})


# Limits, reasons, traits


@pytest.mark.parametrize("rpm", [None, 1, 60, 1_000_000_000])
def test_limits_from_one(rpm: int | None) -> None:
    assert checked_rpm(rpm) == rpm


@pytest.mark.parametrize("rpm", [0, -1, 1_000_000_001, 10**30])
def test_no_limit_that_locks_a_key_out_or_that_no_store_can_hold(rpm: int) -> None:
    with pytest.raises(InvalidRequestError):
        checked_rpm(rpm)


@pytest.mark.parametrize("reason", [None, "", "laptop stolen", "ü" * 500])
def test_a_reason_is_one_line(reason: str | None) -> None:
    assert checked_reason(reason) == reason


@pytest.mark.parametrize("reason", ["a\nb", "\x1b[2J", "x" * 501, SECRET])
def test_a_reason_has_its_rules(reason: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_reason(reason)
    assert reason not in " ".join(caught.value.sentences())


def test_traits_are_brought_into_normal_form() -> None:
    traits = KeyTraits("cafe\u0301", {"b": "2", "a": "1"}, (Scope.USAGE_READ, Scope.API, Scope.API), 5, 9)

    assert checked_traits(traits) == KeyTraits("café", {"a": "1", "b": "2"}, (Scope.API, Scope.USAGE_READ), 5, 9)
    assert list(checked_traits(traits).tags) == ["a", "b"]


def test_a_key_without_a_scope_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        checked_traits(KeyTraits("a", scopes=()))


@pytest.mark.parametrize("name", ["key_", "key_9", "key_abc", "key_0123456789abcdef"])
def test_a_name_that_could_begin_a_key_id_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError, match="beginning of a key id"):
        checked_name(name)
