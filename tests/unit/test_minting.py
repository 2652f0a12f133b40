"""New secrets and ids: of the right shape, from the operating system's random source, never twice."""

from __future__ import annotations

import secrets  # noqa: TID253  # tests wait for it anyway
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from routic_cli.domain.key_format import ALPHABET, OPENAI_MARK, check_characters, is_well_formed
from routic_cli.domain.keys import KEY_ID_ALPHABET, is_key_id
from routic_cli.domain.minting import mint_key_id, mint_operation_id, mint_secret


def test_every_minted_secret_is_well_formed_and_new() -> None:
    minted = [mint_secret().reveal() for _ in range(1000)]

    assert all(is_well_formed(text) for text in minted)
    assert len(set(minted)) == len(minted)


def test_every_character_of_the_alphabet_comes_at_every_place() -> None:
    minted = [mint_secret().reveal() for _ in range(1500)]

    for place in range(3, 42):
        # A character missing at a place has a chance of (61/62)^1500, less than one in 10^10.
        assert {text[place] for text in minted} == set(ALPHABET)


def test_the_characters_are_those_of_the_secrets_module(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def choice(sequence: Sequence[str]) -> str:
        asked.append("".join(sequence))
        return sequence[len(asked) % len(sequence)]

    monkeypatch.setattr(secrets, "choice", choice)
    body = "sk-" + "".join(ALPHABET[n % 62] for n in range(1, 40))

    assert mint_secret().reveal() == body + check_characters(body)
    assert asked == [ALPHABET] * 39


def scripted(monkeypatch: pytest.MonkeyPatch, *bodies: str) -> Callable[[], int]:
    """Let chance say these bodies, one after the other; how many characters are left."""
    characters = iter("".join(bodies))
    left = [sum(map(len, bodies))]

    def choice(_: Sequence[str]) -> str:
        left[0] -= 1
        return next(characters)

    monkeypatch.setattr(secrets, "choice", choice)
    return lambda: left[0]


@pytest.mark.parametrize("place", [0, 5, 31])
def test_what_scanners_would_send_to_openai_is_never_minted(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    marked = "0" * place + OPENAI_MARK + "0" * (31 - place)
    good = "1" * 39
    left = scripted(monkeypatch, marked, good)

    assert mint_secret().reveal()[3:42] == good
    assert left() == 0


def test_ids_are_crockford_base32_and_new() -> None:
    minted = [mint_key_id() for _ in range(1000)]

    assert all(is_key_id(each) for each in minted)
    assert len(set(minted)) == len(minted)
    assert set("".join(each.removeprefix("key_") for each in minted)) == set(KEY_ID_ALPHABET)
    assert not set("ilou") & set(KEY_ID_ALPHABET)


def test_an_id_has_eighty_random_bits_none_likelier_than_another(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def randbits(bits: int) -> int:
        asked.append(bits)
        return int("".join(f"{n:05b}" for n in range(31, 15, -1)), 2)

    monkeypatch.setattr(secrets, "randbits", randbits)

    assert Counter(mint_key_id().removeprefix("key_")) == Counter(KEY_ID_ALPHABET[16:])
    assert asked == [80]


def test_operations_have_ids_of_their_own() -> None:
    assert mint_operation_id().startswith("op_")
    assert mint_operation_id() != mint_operation_id()
    assert not is_key_id(mint_operation_id())
