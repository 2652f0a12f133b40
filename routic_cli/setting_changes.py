"""Changing one setting in the configuration file; never a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from routic_cli.config import AUDIT, PROFILE_FIELDS, Flags, check_threshold, chosen_profile
from routic_cli.config_file import edit_document
from routic_cli.domain.accounts import checked_account
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.paths import default_paths
from routic_cli.private_files import is_there
from routic_cli.store_url import LocalStore, parse_store

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import AbstractTable

WRITABLE: Final = ("profile", *PROFILE_FIELDS, f"{AUDIT}.THRESHOLD")
DEFAULT_PROFILE: Final = "default"

_MOST_DIGITS: Final = 12
_PATHS: Final = ("ca_file", "token_file")
_PROFILE_NAME: Final = re.compile(r"\w[\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a setting: where it is now, and whether a profile became the active one by it."""

    path: Path
    value: str | None
    profile: str | None = None
    activated: bool = False
    changed: bool = True


def set_value(name: str, value: str, flags: Flags, environ: Mapping[str, str]) -> Change:
    """Write a setting into the file: into the chosen profile, which is made when there is none of that name.

    Where none is chosen, into the profile `default`, which becomes the active one.
    """
    _require_writable(name)
    if not value:
        raise InvalidRequestError(
            f"{name} is to be set to nothing",
            why="An unset variable of a script, perhaps",
            not_done="Nothing was changed",
            remedy=f"routic config unset {name}, to remove it",
            param=name,
        )
    threshold = _threshold(name)
    value = _canonical(name, value)
    paths = default_paths(environ)
    outcome: list[Change] = []

    def edit(document: TOMLDocument) -> None:
        if name == "profile":
            _require_profile(document, value, paths.config_file)
            document["profile"] = value
            outcome.append(Change(paths.config_file, value))
            return
        if threshold is not None:
            _section_of(document, paths.config_file)[threshold] = int(value)
            outcome.append(Change(paths.config_file, value))
            return
        chosen = chosen_profile(flags, environ, document, paths.config_file)
        profile = chosen.value if chosen else DEFAULT_PROFILE
        _table_of(document, profile, paths.config_file)[name] = value
        if chosen is None:
            document["profile"] = profile
        outcome.append(Change(paths.config_file, value, profile, activated=chosen is None))

    _refuse_profile_of_profile(name, flags)
    edit_document(paths.config_file, edit, state_directory=paths.state_file.parent)
    return outcome[0]


def unset_value(name: str, flags: Flags, environ: Mapping[str, str]) -> Change:
    """Remove a setting from the file, from the chosen profile. That there is none is fine."""
    _require_writable(name)
    _refuse_profile_of_profile(name, flags)
    threshold = _threshold(name)
    paths = default_paths(environ)
    if not is_there(paths.config_file, "configuration"):
        return Change(paths.config_file, None, changed=False)
    outcome: list[Change] = []

    def edit(document: TOMLDocument) -> None:
        chosen = chosen_profile(flags, environ, document, paths.config_file)
        table: AbstractTable | TOMLDocument | None = document
        if threshold is not None:
            table = _section_of(document, paths.config_file) if AUDIT in document else None
        elif name != "profile":
            profiles = document.get("profiles")
            table = profiles.get(chosen.value) if isinstance(profiles, dict) and chosen else None
        had = isinstance(table, dict) and (threshold or name) in table
        if isinstance(table, dict) and had:
            del table[threshold or name]
        profile = chosen.value if chosen and threshold is None and name != "profile" else None
        outcome.append(Change(paths.config_file, None, profile, changed=had))

    edit_document(paths.config_file, edit, state_directory=paths.state_file.parent)
    return outcome[0]


def _threshold(name: str) -> str | None:
    """The threshold of the audit that the setting is; None for another setting."""
    section, dot, threshold = name.partition(".")
    return threshold if section == AUDIT and dot else None


def _require_writable(name: str) -> None:
    if name in WRITABLE[:-1]:
        return
    if (threshold := _threshold(name)) is not None:
        check_threshold(threshold, 1, not_done="Nothing was changed")
        return
    secret = name in {"token", "ROUTIC_TOKEN"}
    raise InvalidRequestError(
        f"There is no setting '{name}' in the configuration",
        why="A credential is never written into a file" if secret else f"The settings are {', '.join(WRITABLE)}",
        not_done="Nothing was changed",
        remedy="routic auth login" if secret else "",
    )


def _refuse_profile_of_profile(name: str, flags: Flags) -> None:
    if name == "profile" and flags.profile is not None:
        raise InvalidRequestError(
            "--profile names the profile to write into, and 'profile' is no setting of one",
            not_done="Nothing was changed",
            remedy="the same command without --profile",
            param="profile",
        )


def _canonical(name: str, value: str) -> str:
    """The value as it means the same from every folder."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{name} is not UTF-8 text", not_done="Nothing was changed", param=name) from None
    if (threshold := _threshold(name)) is not None:
        number: object = int(value[:_MOST_DIGITS]) if value.isascii() and value.isdecimal() else value
        check_threshold(threshold, number, not_done="Nothing was changed")
        return str(number)
    if name == "store":
        url = parse_store(value, "config set store")
        return str(url.path) if isinstance(url, LocalStore) and "://" not in value else url.url
    if name == "account":
        return checked_account(value, "config set account")
    if name in _PATHS:
        path = Path(value).absolute()
        if not path.is_file():
            raise InvalidRequestError(
                f"There is no file {path}", why=f"{name} is the path of one", not_done="Nothing was changed", param=name
            )
        return str(path)
    return value


def _require_profile(document: TOMLDocument, name: str, path: Path) -> None:
    profiles = document.get("profiles")
    known = sorted(profiles) if isinstance(profiles, dict) else []
    if name not in known:
        raise InvalidRequestError(
            f"There is no profile '{name}'",
            why=f"{path} has: {', '.join(known) or 'none'}",
            not_done="Nothing was changed",
            remedy=f"routic --profile {name} config set store URL, to make it" if _PROFILE_NAME.fullmatch(name) else "",
            param="profile",
        )


def _section_of(document: TOMLDocument, path: Path) -> AbstractTable:
    """The section of the audit, made where there is none."""
    import tomlkit

    if AUDIT not in document:
        document[AUDIT] = tomlkit.table()
    section = document[AUDIT]
    if not isinstance(section, dict):
        raise InvalidRequestError(f"'{AUDIT}' in {path} must be a table", not_done="Nothing was changed")
    return section  # type: ignore[return-value]  # a table of tomlkit is a dict


def _table_of(document: TOMLDocument, profile: str, path: Path) -> AbstractTable:
    """The profile's own table, made where there is none."""
    import tomlkit
    from tomlkit.items import InlineTable

    profiles = document.get("profiles")
    if profiles is None:
        document["profiles"] = tomlkit.table(is_super_table=True)
        profiles = document["profiles"]
    if isinstance(profiles, dict) and profile not in profiles:
        if not _PROFILE_NAME.fullmatch(profile):
            raise InvalidRequestError(
                "The name of a profile has letters, digits, '.', '_' and '-'",
                why="It begins with a letter or a digit, and has 64 characters at most",
                not_done="Nothing was changed",
                param="profile",
            )
        # What is written in one line takes nothing but what is.
        inline = isinstance(profiles, InlineTable)
        profiles[profile] = tomlkit.inline_table() if inline else tomlkit.table()
    table = profiles.get(profile) if isinstance(profiles, dict) else None
    if not isinstance(table, dict):
        raise InvalidRequestError(f"'profiles.{profile}' in {path} must be a table", not_done="Nothing was changed")
    return table  # type: ignore[return-value]  # a table of tomlkit is a dict
