"""The configuration file and the folders of routic: where they are, and who may touch them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from routic_cli.config import Flags, Setting, load_config
from routic_cli.domain.errors import InvalidRequestError, RouticError, UnsafeDestinationError
from routic_cli.store_url import RemoteStore
from tests.support.configs import remote, store_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the folders of XDG; Windows and macOS have others")


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
