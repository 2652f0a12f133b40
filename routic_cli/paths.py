"""Where routic keeps its things: the XDG base directories, and what stands for them on macOS and Windows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import RouticError

# Per platform: the folders of configuration, data and state below the home directory.
_HOME_FOLDERS: Final = {
    "darwin": ("Library/Application Support", "Library/Application Support", "Library/Application Support"),
    "win32": ("AppData/Roaming", "AppData/Local", "AppData/Local"),
}
_XDG_FOLDERS: Final = (".config", ".local/share", ".local/state")
_XDG_VARIABLES: Final = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute paths; nothing is made by asking for them."""

    config_file: Path
    key_store: Path
    state_file: Path
    operation_locks: Path


def default_paths(environ: Mapping[str, str]) -> Paths:
    """The paths for this environment. ROUTIC_CONFIG_DIR moves the configuration alone."""
    config, data, state = (
        _base_folder(environ, variable, folder) / "routic"
        for variable, folder in zip(_XDG_VARIABLES, _HOME_FOLDERS.get(sys.platform, _XDG_FOLDERS), strict=True)
    )
    if environ.get("ROUTIC_CONFIG_DIR"):
        config = Path(environ["ROUTIC_CONFIG_DIR"]).absolute()
    return Paths(
        config_file=config / "config.toml",
        key_store=data / "keys.db",
        state_file=state / "state.db",
        operation_locks=state / "operations",
    )


def usage_log_beside(key_store: Path) -> Path:
    """The usage log of a key store: `usage.db` beside `keys.db`, and `NAME.usage.db` beside any other NAME.db."""
    name = "usage.db" if key_store.name == "keys.db" else f"{key_store.stem}.usage.db"
    return key_store.with_name(name)


def _base_folder(environ: Mapping[str, str], variable: str, folder: str) -> Path:
    # The XDG specification: a relative path in one of its variables is to be ignored.
    named = Path(environ.get(variable, ""))
    return named if named.is_absolute() else _home(environ) / folder


def _home(environ: Mapping[str, str]) -> Path:
    if environ.get("HOME"):
        return Path(environ["HOME"]).absolute()
    try:
        return Path.home()
    except RuntimeError as error:  # a container's user id that no one has heard of
        raise RouticError(
            "Your home directory is not known",
            why="HOME is not set",
            not_done="Nothing was done",
            remedy="export HOME=…",
        ) from error
