"""Flags, environment and file become one frozen Config that knows where each value came from.

Nothing in the working directory configures routic: no `.env`, no project file.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.paths import Paths, default_paths
from routic_cli.private_files import check_private, is_there

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_PROFILE_FIELDS: Final = frozenset({"store"})


@dataclass(slots=True)
class Flags:
    """The global options, as they were given on the command line; None is not given."""

    store: str | None = None
    profile: str | None = None
    json: bool = False
    fields: str | None = None
    quiet: bool = False
    no_input: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it came from: `--store`, `ROUTIC_STORE`, `profile work`, `default`."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """A store's URL in its canonical form, by which placements and operations remember it."""

    url: str
    path: Path


@dataclass(frozen=True, slots=True)
class Config:
    """What holds for this run. `profile` is None when no profile is chosen."""

    paths: Paths
    store: Setting
    profile: Setting | None

    @property
    def store_url(self) -> StoreUrl:
        """The store as a file; InvalidRequestError for one that this routic cannot reach."""
        return _parse_store(self.store)


def load_config(flags: Flags, environ: Mapping[str, str]) -> Config:
    """Flag before `ROUTIC_*` variable before profile before default."""
    for name in ("store", "profile"):
        if getattr(flags, name) == "":  # an unset variable of a script, perhaps: the default would be another store
            raise InvalidRequestError(f"--{name} is empty", not_done="Nothing was done", param=name)
    paths = default_paths(environ)
    document = _read_file(paths.config_file)
    profile = _first(
        Setting(flags.profile or "", "--profile"),
        Setting(environ.get("ROUTIC_PROFILE", ""), "ROUTIC_PROFILE"),
        Setting(_text(document, "profile", paths.config_file), str(paths.config_file)),
    )
    values = _profile_values(document, profile, paths.config_file)
    store = _first(
        Setting(flags.store or "", "--store"),
        Setting(environ.get("ROUTIC_STORE", ""), "ROUTIC_STORE"),
        Setting(_text(values, "store", paths.config_file), f"profile {profile.value}" if profile else ""),
        Setting(str(paths.key_store), "default"),
    )
    if store is None:
        raise AssertionError("the default store is never empty")
    return Config(paths=paths, store=store, profile=profile)


def asks_for_no_input(flags: Flags, environ: Mapping[str, str]) -> bool:
    """Whether --no-input or ROUTIC_NO_INPUT forbids every question."""
    return flags.no_input or environ.get("ROUTIC_NO_INPUT", "").lower() in _TRUE


def _first(*settings: Setting) -> Setting | None:
    return next((setting for setting in settings if setting.value), None)


def _read_file(path: Path) -> Mapping[str, object]:
    if not is_there(path, "configuration"):
        return {}
    check_private(path, "configuration")
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RouticError(
            f"The configuration {path} could not be read",
            why=str(error),
            not_done="Nothing was done",
            remedy=f"${{EDITOR:-vi}} {shlex.quote(str(path))}",
        ) from error


def _profile_values(document: Mapping[str, object], profile: Setting | None, path: Path) -> Mapping[str, object]:
    if profile is None:
        return {}
    profiles = document.get("profiles", {})
    values = profiles.get(profile.value) if isinstance(profiles, dict) else None
    if not isinstance(values, dict):
        known = ", ".join(sorted(profiles)) if isinstance(profiles, dict) and profiles else "none"
        raise InvalidRequestError(
            f"There is no profile '{profile.value}'",
            why=f"{profile.source} names it; {path} has: {known}",
            not_done="Nothing was done",
            param="profile",
        )
    unknown = sorted(set(values) - _PROFILE_FIELDS)
    if unknown:
        raise InvalidRequestError(
            f"The profile '{profile.value}' has a setting '{unknown[0]}' that routic does not know",
            why=f"{path} may have: {', '.join(sorted(_PROFILE_FIELDS))}",
            not_done="Nothing was done",
        )
    return values


def _text(document: Mapping[str, object], field: str, path: Path) -> str:
    value = document.get(field, "")
    if not isinstance(value, str):
        raise InvalidRequestError(f"'{field}' in {path} must be a text", not_done="Nothing was done")
    return value


def _parse_store(setting: Setting) -> StoreUrl:
    text = setting.value
    if text.startswith("sqlite:///"):
        path = text.removeprefix("sqlite:///")
    elif "://" in text or text.startswith(("sqlite:", "postgresql:", "http:", "https:")):
        raise InvalidRequestError(
            f"This routic cannot use the store that {setting.source} names",
            why="It knows sqlite:///relative.db, sqlite:////absolute.db and plain paths",
            not_done="Nothing was done",
            remedy="routic --store PATH …",
            param="store",
        )
    else:
        path = text
    if not path or path.endswith(("/", os.sep)) or "\0" in path:
        raise InvalidRequestError(
            f"{setting.source} names no file", why="A store is one file", not_done="Nothing was done", param="store"
        )
    # The folder's links are followed, the file's own is not: a store that is a link is refused when it is opened.
    absolute = Path(path).absolute()
    resolved = Path(os.path.realpath(absolute.parent)) / absolute.name
    return StoreUrl(f"sqlite:///{resolved}", resolved)
