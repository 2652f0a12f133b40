"""The old secret of a rotation lies on this machine only as bytes that the new secret alone can open."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.keys import KeyId
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.seal import seal, unseal
from routic_cli.domain.secret import Secret, fingerprint_of
from tests.support.keys import key_id

KEY: Final = key_id(1)

# Keys minted elsewhere have any shape.
secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200).map(Secret)
key_ids = st.integers(min_value=0, max_value=2**60).map(key_id)
A_TELLING_PART: Final = 6
"""Bytes of a secret that are in unrelated bytes of this length once in 2**40 times."""


@given(old=secrets, new=secrets, key=key_ids)
def test_the_new_secret_opens_what_it_sealed(old: Secret, new: Secret, key: KeyId) -> None:
    sealed = seal(old, by=new, key_id=key)
    assert unseal(sealed, by=new, key_id=key, sha256=old.fingerprint) == old


@given(old=secrets, new=secrets, other=secrets)
def test_no_other_secret_opens_it(old: Secret, new: Secret, other: Secret) -> None:
    sealed = seal(old, by=new, key_id=KEY)
    opened = unseal(sealed, by=other, key_id=KEY, sha256=old.fingerprint)
    assert (opened is None) == (other != new)


@given(old=secrets, new=secrets, key=key_ids, other=key_ids)
def test_it_opens_for_its_own_key_only(old: Secret, new: Secret, key: KeyId, other: KeyId) -> None:
    sealed = seal(old, by=new, key_id=key)
    opened = unseal(sealed, by=new, key_id=other, sha256=old.fingerprint)
    assert (opened is None) == (key != other)


@given(old=secrets, new=secrets, flipped=st.data())
def test_bytes_that_were_changed_open_to_nothing(old: Secret, new: Secret, flipped: st.DataObject) -> None:
    sealed = bytearray(seal(old, by=new, key_id=KEY))
    place = flipped.draw(st.integers(min_value=0, max_value=8 * len(sealed) - 1))
    sealed[place // 8] ^= 1 << place % 8
    assert unseal(bytes(sealed), by=new, key_id=KEY, sha256=old.fingerprint) is None


@given(cut=st.integers(min_value=0, max_value=47))
def test_bytes_that_were_cut_open_to_nothing(cut: int) -> None:
    old, new = mint_secret(), mint_secret()
    sealed = seal(old, by=new, key_id=KEY)
    assert unseal(sealed[:cut], by=new, key_id=KEY, sha256=old.fingerprint) is None


def test_it_opens_to_the_secret_with_the_fingerprint_of_the_store_or_to_none() -> None:
    old, new = mint_secret(), mint_secret()
    sealed = seal(old, by=new, key_id=KEY)
    assert unseal(sealed, by=new, key_id=KEY, sha256=fingerprint_of("another")) is None


def test_the_sealed_bytes_have_no_part_of_either_secret() -> None:
    for _ in range(100):
        old, new = mint_secret(), mint_secret()
        sealed = seal(old, by=new, key_id=KEY)
        for text in (old.reveal().encode(), new.reveal().encode()):
            parts = {text[i : i + A_TELLING_PART] for i in range(len(text) - A_TELLING_PART + 1)}
            assert not any(part in sealed for part in parts)


def test_two_seals_have_nothing_in_common_that_would_tell_of_what_they_seal() -> None:
    old, first, second = mint_secret(), mint_secret(), mint_secret()
    one = seal(old, by=first, key_id=KEY)
    two = seal(old, by=second, key_id=KEY)
    other_key = seal(old, by=first, key_id=key_id(2))
    for a, b in ((one, two), (one, other_key)):
        same = sum(x == y for x, y in zip(a, b, strict=True))
        assert same < len(one) // 2, "of 48 unrelated bytes, less than one is the same on average"


def test_the_sealed_bytes_are_as_long_as_the_secret() -> None:
    old = Secret("ein Schlüssel von anderswo")
    assert len(seal(old, by=mint_secret(), key_id=KEY)) == len(old.reveal().encode())
