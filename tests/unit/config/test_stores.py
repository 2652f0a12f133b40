"""What names a store, its one URL, and what is shown of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routic_cli.config import Flags, load_config
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.store_url import RemoteStore, is_speakable, parse_store
from tests.support.configs import local, remote

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the folders of XDG; Windows and macOS have others")


# Stores


@pytest.mark.parametrize(
    ("store", "path"),
    [
        ("keys.db", "{cwd}/keys.db"),
        ("sub/keys.db", "{cwd}/sub/keys.db"),
        ("./a/../keys.db", "{cwd}/keys.db"),
        ("/srv/keys.db", "/srv/keys.db"),
        ("sqlite:///keys.db", "{cwd}/keys.db"),
        ("sqlite:///sub/keys.db", "{cwd}/sub/keys.db"),
        ("sqlite:////srv/keys.db", "/srv/keys.db"),
        ("sqlite:///a b?c#d%41.db", "{cwd}/a b?c#d%41.db"),
        ("C:keys.db", "{cwd}/C:keys.db"),
    ],
)
def test_a_store_is_a_url_or_a_path(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = path.format(cwd=tmp_path.resolve())
    url = load_config(Flags(store=store), environ).store_url

    assert str(local(url).path) == expected
    assert url.url == f"sqlite:///{expected}"


def test_the_same_file_has_one_url_however_it_is_reached(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    ways = [
        "keys.db",
        "sqlite:///keys.db",
        "../link/keys.db",
        str(tmp_path / "link/keys.db"),
        "sqlite:///../real/keys.db",
    ]

    assert len({load_config(Flags(store=way), environ).store_url.url for way in ways}) == 1


def test_a_store_that_is_itself_a_link_is_not_followed(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to("real.db")
    url = load_config(Flags(store=str(tmp_path / "link.db")), environ).store_url
    assert local(url).path.name == "link.db"


@pytest.mark.parametrize(
    "store",
    [
        "mysql://u:hunter2@db/routic",
        "sqlite://keys.db",
        "sqlite:keys.db",
        "file:///srv/hunter2.db",
        "ftp://hunter2@host/keys.db",
    ],
)
def test_a_store_of_no_known_kind_is_refused_without_repeating_a_password(environ: dict[str, str], store: str) -> None:
    environ["ROUTIC_STORE"] = store
    with pytest.raises(InvalidRequestError, match="ROUTIC_STORE") as caught:
        _ = load_config(Flags(), environ).store_url
    assert "hunter2" not in " ".join([*caught.value.sentences(), caught.value.remedy])
    assert "sqlite:///" in caught.value.why


@pytest.mark.parametrize("store", ["postgresql://u:hunter2@db/routic", "PostgreSQL://u:hunter2@db/routic"])
def test_a_store_that_this_routic_cannot_reach_yet_is_said_so(environ: dict[str, str], store: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot use the store") as caught:
        _ = load_config(Flags(store=store), environ).store_url
    assert "hunter2" not in " ".join([*caught.value.sentences(), caught.value.remedy])
    assert "https://HOST" in caught.value.why


@pytest.mark.parametrize(
    ("text", "url", "origin"),
    [
        ("https://keys.example.com", "https://keys.example.com", "https://keys.example.com"),
        ("HTTPS://Keys.Example.COM:443/", "https://keys.example.com", "https://keys.example.com"),
        ("https://keys.example.com:", "https://keys.example.com", "https://keys.example.com"),
        ("https://keys.example.com:8443/a/b/", "https://keys.example.com:8443/a/b", "https://keys.example.com:8443"),
        ("https://keys.example.com:0443/A", "https://keys.example.com/A", "https://keys.example.com"),
        ("https://faß.de", "https://xn--fa-hia.de", "https://xn--fa-hia.de"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://192.0.2.1/x", "https://192.0.2.1/x", "https://192.0.2.1"),
        ("https://[2001:DB8:0:0::1]:443", "https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("http://localhost:8080", "http://localhost:8080", "http://localhost:8080"),
        ("http://LOCALHOST:80/", "http://localhost", "http://localhost"),
        ("http://127.0.0.1", "http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.8.9.255:443", "http://127.8.9.255:443", "http://127.8.9.255:443"),
        ("http://[0:0::1]:80", "http://[::1]", "http://[::1]"),
    ],
)
def test_a_remote_store_has_one_url_and_an_origin_however_it_is_written(text: str, url: str, origin: str) -> None:
    assert remote(text) == RemoteStore(url, origin)
    assert remote(url) == RemoteStore(url, origin)


@pytest.mark.parametrize(
    "text",
    [
        "https://hunter2@keys.example.com",
        "https://u:hunter2@keys.example.com/base",
        "https://keys.example.com/base?token=hunter2",
        "https://keys.example.com/#hunter2",
        "https://keys.example.com/base@hunter2",
        "https://keys.example.com/sk-hunter2hunter2hunter2HUNTER2",
        "https://keys.example.com/hunter2%2f..",
        "https://keys.example.com/../hunter2",
        "https://keys.example.com//hunter2",
        "https://keys.example.com/hunter2/.",
        "https://keys.example.com/hunter2\\x",
        "https://keys.example.com\\hunter2",
        "https://keys.example.com/hunter2 x",
        "https://keys.example.com\t/hunter2",
        "https://keys.example.com/hunter2\n",
        " https://keys.example.com/hunter2",
        "https://hunter2_-/",
        "https://-hunter2.example",
        "https://hunter2..example",
        "https://hunter2.example.",
        "https://%68unter2.example",
        "https://hunter2.example:0",
        "https://hunter2.example:65536",
        "https://hunter2.example:x",
        "https://hunter2.example:\u0661",
        "https:///hunter2",
        "https:hunter2.example",
        "https:/hunter2.example",
        "https://[::1/hunter2",
        "https://[hunter2]",
        "https://[::1%25hunter2]",
        "https://1.2.3",
        "https://127.0.0.01",
        "https://0x7f.1",
        "https://2130706433",
        "https://1.2.3.256",
        "https://hunter2.\u202e.example",
        f"https://{'hunter2.' * 40}example",
        f"https://{'h' * 64}.example",
    ],
)
def test_a_url_that_is_no_stores_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_store(text, "ROUTIC_STORE")
    said = " ".join([*caught.value.sentences(), caught.value.remedy])
    assert "hunter2" not in said
    assert "ROUTIC_STORE" in said
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "host",
    [
        "keys.example.com",
        "192.168.0.1",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "notlocalhost",
        "[::2]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "128.0.0.1",
    ],
)
def test_without_tls_there_is_this_machine_only(host: str) -> None:
    assert isinstance(parse_store(f"https://{host}", "--store"), RemoteStore)
    with pytest.raises(InvalidRequestError) as caught:
        parse_store(f"http://{host}:8080/base", "--store")
    assert "others could read the credential" in caught.value.why
    assert caught.value.remedy.startswith("routic --store https://")


@pytest.mark.parametrize(
    ("text", "speakable"),
    [
        ("/srv/a@b?.db", True),
        ("sqlite:////srv/a@b#.db", True),
        ("https://keys.example.com/base", True),
        ("https://u:p@keys.example.com", False),
        ("postgresql://u:p@db/x", False),
        ("postgresql:///x?password=p", False),
        ("sk-" + "aB3" * 15, False),
    ],
)
def test_what_may_hold_a_password_is_not_shown(text: str, *, speakable: bool) -> None:
    assert is_speakable(text) is speakable
