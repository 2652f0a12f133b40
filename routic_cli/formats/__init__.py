"""Export formats: one file for each, and this table of them. Only the format that is asked for gets imported."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.formats.asking_shell import detect, parent_process_name
from routic_cli.formats.interface import Entry, Format

__all__ = ["NAMES", "Entry", "Format", "detect", "load", "parent_process_name"]

# `cmd` and `json` are modules of the standard library: their files here have names of their own.
_MODULES: Final = {
    "sh": "sh",
    "fish": "fish",
    "powershell": "powershell",
    "cmd": "cmd_exe",
    "nushell": "nushell",
    "dotenv": "dotenv",
    "docker": "docker",
    "github": "github",
    "gitlab": "gitlab",
    "systemd": "systemd",
    "kubernetes": "kubernetes",
    "direnv": "direnv",
    "json": "json_object",
}

NAMES: Final = tuple(_MODULES)


def load(name: str) -> Format:
    """The format of that name; InvalidRequestError, with all names, when there is none."""
    if name not in _MODULES:
        raise InvalidRequestError(
            f"There is no export format {name!r}",
            why=f"The formats are {', '.join(NAMES)}",
            not_done="Nothing was exported",
            remedy="routic export --format sh REF",
            param="format",
        )
    # The module's name comes out of the table above, never from the argument.
    loaded: Format = import_module(f"{__name__}.{_MODULES[name]}").FORMAT
    return loaded
