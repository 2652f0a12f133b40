"""Keys in bytes: wherever they are cut, in each encoding, and never anything else."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routic_cli.domain.key_format import hint_of
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.secret import fingerprint_of
from routic_cli.scanning.exposure import exposure_of
from routic_cli.scanning.find import BEFORE, LONGEST, Hit, hits_in, keys_in

KEYS = [mint_secret().reveal() for _ in range(4)]
SMALLEST_CHUNK = BEFORE + LONGEST


def hits(data: bytes, chunk: int = 1 << 20) -> list[Hit]:
    return list(hits_in(io.BytesIO(data).read, chunk=chunk))


@pytest.mark.parametrize("number", range(50))
def test_every_minted_key_is_found_as_its_hash_and_its_mask(number: int) -> None:
    key = mint_secret().reveal()
    assert hits(f"a\nb {key}".encode()) == [Hit(2, fingerprint_of(key), hint_of(key), "")]


piece = st.one_of(
    st.sampled_from([key.encode() for key in KEYS]),
    st.sampled_from([key.encode("utf-16-le") for key in KEYS]),
    st.sampled_from([b"\n", b"sk-", b"sk-sk-", b"task-", b"\0", b"s\0k\0-\0", KEYS[0][:30].encode()]),
    st.binary(max_size=300),
)


@given(st.lists(piece, max_size=30), st.integers(1, 2 * SMALLEST_CHUNK))
@example([b"\n" * 700, KEYS[0].encode()], 7)
@example([KEYS[0].encode(), b"x" * 610, KEYS[0].encode()], 1)
def test_how_a_file_is_read_changes_nothing(pieces: list[bytes], chunk: int) -> None:
    data = b"".join(pieces)
    narrow = [hit[:3] for hit in hits(data, chunk)]
    assert narrow == [hit[:3] for hit in hits(data)] or b"\0" in data
    assert sorted({hit[1] for hit in narrow}) == sorted({fingerprint_of(found.text) for found in keys_in(data)})
    assert len(narrow) == len(list(keys_in(data)))


@given(st.binary(max_size=3000))
def test_chance_makes_no_key(data: bytes) -> None:
    assert hits(data) == []


def test_a_wrong_check_character_makes_it_no_key() -> None:
    (key, *_) = KEYS
    for at in range(3, 48):
        other = "0" if key[at] != "0" else "1"
        assert hits(f"{key[:at]}{other}{key[at + 1 :]}".encode()) == []


def test_what_is_found_shows_a_mask_when_it_is_printed() -> None:
    (found,) = keys_in(KEYS[0].encode())
    assert KEYS[0] not in repr(found)


@pytest.mark.parametrize(
    ("line", "variable"),
    [
        ("KEY=%s", "KEY"),
        ("export NEXT_PUBLIC_KEY = '%s'", "NEXT_PUBLIC_KEY"),
        ('  "VITE_KEY": "%s",', "VITE_KEY"),
        ("env['REACT_APP_KEY'] = \"%s\"", "REACT_APP_KEY"),
        ("const apiKey: %s", "apiKey"),
        ("$k := `%s`", "k"),
        ("k => '%s'", "k"),
        ("OTHER=1 %s", ""),
        ("OTHER=\n%s", ""),
        ("%s", ""),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_the_variable_is_the_one_that_the_key_is_assigned_to(line: str, variable: str, encoding: str) -> None:
    (hit,) = hits((line % KEYS[0]).encode(encoding))
    assert hit.variable == variable


@pytest.mark.parametrize(
    ("file", "variable", "says"),
    [
        (".env", "NEXT_PUBLIC_KEY", "NEXT_PUBLIC_KEY: Bundlers copy"),
        ("server/config.yml", "VITE_TOKEN", "VITE_TOKEN: Bundlers copy"),
        ("public/config.json", "", "under public/: whoever opens the page can read the key"),
        ("a/static/b/x.bin", "", "under static/"),
        ("src/App.vue", "", "this .vue source"),
        ("index.html", "", "this .html source"),
        ("web/Key.TSX", "", "this .tsx source"),
        ("src/app.js", "", "If this is bundled for a browser"),
        ("server/app.js", "KEY", "^$"),
        ("src/app.py", "KEY", "^$"),
        ("public", "", "^$"),
        (".env", "ROUTIC_API_KEY", "^$"),
    ],
)
def test_where_strangers_read_along_is_told(file: str, variable: str, says: str) -> None:
    assert re.search(says, exposure_of(file, variable))
