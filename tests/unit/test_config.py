"""Where a value comes from: flag, variable, profile, default; and where it never comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routic_cli.config import Config, Flags, Setting, asks_for_no_input, load_config
from routic_cli.domain.errors import InvalidRequestError, RouticError, UnsafeDestinationError
from routic_cli.store_url import LocalStore, RemoteStore, StoreUrl, is_speakable, parse_store
from tests.support.sandbox import Sandbox

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the folders of XDG; Windows and macOS have others")

TOML = """
profile = "work"

[profiles.work]
store = "/srv/work.db"

[profiles.home]
store = "sqlite:////srv/home.db"

[profiles.bare]

[profiles.odd]
colour = "red"

[profiles.wrong]
store = 5
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home")}


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "home/.config/routic/config.toml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(TOML)
    path.chmod(0o600)
    return path


def store_of(config: Config) -> tuple[str, str]:
    return config.store.value, config.store.source


def local(url: StoreUrl) -> LocalStore:
    assert isinstance(url, LocalStore)
    return url


def remote(text: str) -> RemoteStore:
    url = parse_store(text, "--store")
    assert isinstance(url, RemoteStore)
    return url


# Precedence


def test_without_anything_the_store_is_in_the_data_folder(environ: dict[str, str], tmp_path: Path) -> None:
    config = load_config(Flags(), environ)

    assert store_of(config) == (str(tmp_path / "home/.local/share/routic/keys.db"), "default")
    assert local(config.store_url).path == tmp_path / "home/.local/share/routic/keys.db"
    assert config.profile is None
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("config_file")
def test_flag_outweighs_variable_outweighs_profile_outweighs_default(environ: dict[str, str]) -> None:
    assert store_of(load_config(Flags(), environ)) == ("/srv/work.db", "profile work")
    environ["ROUTIC_STORE"] = "/srv/variable.db"
    assert store_of(load_config(Flags(), environ)) == ("/srv/variable.db", "ROUTIC_STORE")
    assert store_of(load_config(Flags(store="/srv/flag.db"), environ)) == ("/srv/flag.db", "--store")


def test_so_it_is_with_the_profile(environ: dict[str, str], config_file: Path) -> None:
    def profile(**flags: str) -> tuple[str, str]:
        setting = load_config(Flags(**flags), environ).profile  # type: ignore[arg-type]  # texts only
        assert setting is not None
        return setting.value, setting.source

    assert profile() == ("work", str(config_file))
    environ["ROUTIC_PROFILE"] = "home"
    assert profile() == ("home", "ROUTIC_PROFILE")
    assert store_of(load_config(Flags(), environ)) == ("sqlite:////srv/home.db", "profile home")
    assert profile(profile="bare") == ("bare", "--profile")
    assert load_config(Flags(profile="bare"), environ).store.source == "default"


@pytest.mark.usefixtures("config_file")
def test_a_variable_that_is_empty_is_not_set(environ: dict[str, str]) -> None:
    environ |= {"ROUTIC_STORE": "", "ROUTIC_PROFILE": "", "ROUTIC_CONFIG_DIR": ""}
    assert store_of(load_config(Flags(), environ)) == ("/srv/work.db", "profile work")


@pytest.mark.parametrize("flags", [Flags(store=""), Flags(profile="")])
def test_a_flag_that_is_empty_is_a_mistake(environ: dict[str, str], flags: Flags) -> None:
    # `--store "$STORE"` with a misspelt variable must not mean the default store.
    with pytest.raises(InvalidRequestError, match="is empty"):
        load_config(flags, environ)


@pytest.mark.usefixtures("config_file")
@pytest.mark.parametrize(
    ("profile", "said"),
    [("other", "no profile"), ("odd", "colour"), ("wrong", "must be a text"), ("Work", "no profile")],
)
def test_a_profile_that_cannot_be_followed_is_named(environ: dict[str, str], profile: str, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said) as caught:
        load_config(Flags(profile=profile), environ)
    assert caught.value.exit_code == 2
    assert caught.value.not_done


def test_a_profile_without_a_file_says_where_it_was_looked_for(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        load_config(Flags(profile="work"), environ)
    assert "config.toml has: none" in caught.value.why


# The file


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_a_file_that_others_have_access_to_is_refused(environ: dict[str, str], config_file: Path, mode: int) -> None:
    config_file.chmod(mode)
    with pytest.raises(UnsafeDestinationError) as caught:
        load_config(Flags(), environ)
    assert caught.value.exit_code == 6
    assert caught.value.remedy == f"chmod 600 {config_file}"


def test_a_file_that_is_a_link_is_refused(environ: dict[str, str], config_file: Path) -> None:
    config_file.rename(config_file.with_name("real.toml"))
    config_file.symlink_to("real.toml")
    with pytest.raises(UnsafeDestinationError):
        load_config(Flags(), environ)


def test_a_file_in_a_folder_of_all_is_refused(environ: dict[str, str], config_file: Path) -> None:
    config_file.parent.chmod(0o777)
    with pytest.raises(UnsafeDestinationError):
        load_config(Flags(), environ)


@pytest.mark.parametrize("content", [b"profile =", b"\xff\xfe", b"profile = 5", b"profiles = 5\nprofile = 'a'"])
def test_a_file_that_cannot_be_understood_is_an_error(
    environ: dict[str, str], config_file: Path, content: bytes
) -> None:
    config_file.write_bytes(content)
    with pytest.raises(RouticError) as caught:
        load_config(Flags(), environ)
    assert caught.value.exit_code in {1, 2}
    assert caught.value.not_done


# Places


def test_the_xdg_variables_move_each_folder(environ: dict[str, str], tmp_path: Path) -> None:
    environ |= {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")}
    paths = load_config(Flags(), environ).paths

    assert paths.config_file == tmp_path / "config/routic/config.toml"
    assert paths.key_store == tmp_path / "data/routic/keys.db"
    assert paths.state_file == tmp_path / "state/routic/state.db"


@pytest.mark.parametrize("value", ["relative", "./here", "~/there", ""])
def test_a_relative_xdg_variable_is_ignored_as_the_specification_says(
    environ: dict[str, str], tmp_path: Path, value: str
) -> None:
    environ |= {f"XDG_{kind}_HOME": value for kind in ("CONFIG", "DATA", "STATE")}
    paths = load_config(Flags(), environ).paths

    assert paths.config_file == tmp_path / "home/.config/routic/config.toml"
    assert paths.key_store == tmp_path / "home/.local/share/routic/keys.db"
    assert paths.state_file == tmp_path / "home/.local/state/routic/state.db"


def test_routic_config_dir_moves_the_configuration_alone(
    environ: dict[str, str], config_file: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    config_file.parent.rename(moved)
    environ["ROUTIC_CONFIG_DIR"] = str(moved)
    config = load_config(Flags(), environ)

    assert store_of(config) == ("/srv/work.db", "profile work")
    assert config.paths.config_file == moved / "config.toml"
    assert config.paths.key_store == tmp_path / "home/.local/share/routic/keys.db"


def test_a_user_without_a_home_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(RouticError, match="home directory"):
        load_config(Flags(), {})


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


# The credential's file, and the authorities


@pytest.fixture
def with_files(config_file: Path) -> Path:
    config_file.write_text(
        'profile = "work"\n[profiles.work]\nstore = "https://keys.example.com/a"\n'
        'token_file = "/srv/token"\nca_file = "/srv/ca.pem"\n'
    )
    return config_file


@pytest.mark.usefixtures("with_files")
@pytest.mark.parametrize(
    ("store", "used"),
    [
        (None, True),
        ("https://keys.example.com/b", True),
        ("https://KEYS.example.com:443", True),
        ("https://keys.example.com:8443/a", False),
        ("https://example.com/a", False),
        ("http://localhost/a", False),
    ],
)
def test_the_file_of_a_profile_is_for_the_origin_of_its_own_store(
    environ: dict[str, str], store: str | None, *, used: bool
) -> None:
    config = load_config(Flags(store=store), environ)
    assert isinstance(config.store_url, RemoteStore)
    assert config.token_file_for(config.store_url) == (Setting("/srv/token", "profile work") if used else None)


@pytest.mark.parametrize("own", ["", 'store = "/srv/keys.db"', 'store = "postgresql://db/x"'])
def test_without_a_remote_store_of_its_own_the_file_of_a_profile_is_for_none(
    environ: dict[str, str], config_file: Path, own: str
) -> None:
    config_file.write_text(f'profile = "work"\n[profiles.work]\ntoken_file = "/srv/token"\n{own}\n')
    config = load_config(Flags(store="https://keys.example.com"), environ)
    assert config.token_file_for(remote("https://keys.example.com")) is None


@pytest.mark.usefixtures("with_files")
def test_a_variable_outweighs_the_files_of_a_profile_for_any_store(environ: dict[str, str]) -> None:
    environ |= {"ROUTIC_TOKEN_FILE": "token", "ROUTIC_CA_FILE": "ca.pem"}
    config = load_config(Flags(store="https://elsewhere.example"), environ)
    assert config.token_file_for(remote("https://elsewhere.example")) == Setting("token", "ROUTIC_TOKEN_FILE")
    assert config.ca_file == Setting("ca.pem", "ROUTIC_CA_FILE")


@pytest.mark.parametrize("name", ["token_file", "ca_file"])
@pytest.mark.parametrize("value", ["token", "./token", "../token", "~/token", "/srv/a\\u0000b"])
def test_no_path_of_a_profile_is_looked_for_in_the_working_directory(
    environ: dict[str, str], config_file: Path, name: str, value: str
) -> None:
    config_file.write_text(f'profile = "work"\n[profiles.work]\n{name} = "{value}"\n')
    with pytest.raises(InvalidRequestError, match="absolute"):
        load_config(Flags(), environ)


@pytest.mark.parametrize("store", ["sqlite:///", "folder/", "sqlite:////srv/", "a\0b"])
def test_a_store_is_one_file(environ: dict[str, str], store: str) -> None:
    with pytest.raises(InvalidRequestError, match="names no file"):
        _ = load_config(Flags(store=store), environ).store_url


# Questions


@pytest.mark.parametrize(
    ("value", "forbidden"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("", False)]
)
def test_questions_are_forbidden_by_flag_or_variable(value: str, *, forbidden: bool) -> None:
    assert asks_for_no_input(Flags(), {"ROUTIC_NO_INPUT": value}) is forbidden
    assert asks_for_no_input(Flags(no_input=True), {"ROUTIC_NO_INPUT": value}) is True
    assert asks_for_no_input(Flags(), {}) is False


# The working directory


def test_nothing_in_the_working_directory_configures_routic(sandbox: Sandbox) -> None:
    sandbox.ok("keys", "create", "--name", "mine")
    trap = "store = 'trap.db'\nprofile = 'trap'\n[profiles.trap]\nstore = 'trap.db'\n"
    for name in (
        "config.toml",
        "routic.toml",
        ".routic.toml",
        "pyproject.toml",
        ".routic/config.toml",
        "routic/config.toml",
    ):
        (sandbox.cwd / name).parent.mkdir(exist_ok=True)
        (sandbox.cwd / name).write_text(trap)
    for name in (".env", ".envrc", "routic.env"):
        (sandbox.cwd / name).write_text("ROUTIC_STORE=trap.db\nROUTIC_PROFILE=trap\nROUTIC_CONFIG_DIR=.\n")
    for name in ("typer.py", "sqlite3.py", "json.py", "sitecustomize.py", "routic_cli.py", "tomllib.py"):
        (sandbox.cwd / name).write_text("raise SystemExit('code from the working directory ran')\n")
    before = sandbox.snapshot()

    listed = sandbox.ok("keys", "list", "--json").data["data"]

    assert [key["name"] for key in listed] == ["mine"]
    assert sandbox.snapshot() == before
