"""Flags, environment and file become one frozen Config that knows where each value came from.

Nothing in the working directory configures routic: no `.env`, no project file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from routic_cli.config_file import read_document
from routic_cli.domain.accounts import checked_account
from routic_cli.domain.audit.policy import HIGHEST, THRESHOLDS, Policy
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.keys import DEFAULT_ACCOUNT
from routic_cli.paths import Paths, default_paths
from routic_cli.store_url import RemoteStore, StoreUrl, parse_store

_TRUE: Final = frozenset({"1", "true", "yes", "on"})

TOKEN: Final = "ROUTIC_TOKEN"  # noqa: S105  # names of variables, no secrets
TOKEN_FILE: Final = "ROUTIC_TOKEN_FILE"  # noqa: S105  # the same
CA_FILE: Final = "ROUTIC_CA_FILE"
ACCOUNT: Final = "ROUTIC_ACCOUNT"

PROFILE_FIELDS: Final = ("store", "account", "ca_file", "token_file")
"""What a profile may have. No secret is among them."""

AUDIT: Final = "audit"
"""The section with the thresholds of the audit; in a setting's name, what stands before the dot."""


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
class Config:
    """What holds for this run. `profile` is None when no profile is chosen; no secret is here.

    `token_file` is empty when ROUTIC_TOKEN_FILE is set to nothing, which is an error to whoever needs a credential.
    `thresholds` are those of the audit that the file sets.
    `own_store` is the store that the profile names, whether or not a flag or a variable outweighs it.
    `account` is None where none is named: the account `default` of a file, the credential's of an admin API.
    """

    paths: Paths
    store: Setting
    profile: Setting | None
    ca_file: Setting | None = None
    token_file: Setting | None = None
    own_store: Setting | None = None
    account: Setting | None = None
    thresholds: Mapping[str, int] = field(default_factory=dict)

    @property
    def policy(self) -> Policy:
        """The thresholds of the audit: those of the file, and the defaults of the others."""
        return Policy().changed(self.thresholds)

    @property
    def store_url(self) -> StoreUrl:
        """The store, here or behind an admin API; InvalidRequestError for one that this routic cannot reach."""
        return parse_store(self.store.value, self.store.source)

    @property
    def account_name(self) -> str:
        """Whose keys are meant in a store that is a file."""
        return DEFAULT_ACCOUNT if self.account is None else self.account.value

    @property
    def keys_url(self) -> str:
        """What this machine remembers keys by: the store, and the account where the store leaves that open.

        What a crash left open of one account must not be tidied up in another, which does not know the key.
        """
        url = self.store_url
        local = not isinstance(url, RemoteStore) and self.account_name != DEFAULT_ACCOUNT
        return f"{url.url}#{self.account_name}" if local else url.url

    def token_file_for(self, store: RemoteStore) -> Setting | None:
        """The file with the credential for the store.

        A profile's file is for the origin of the profile's own store: `--store` must not send it to another.
        """
        if self.token_file is None or self.token_file.source == TOKEN_FILE:
            return self.token_file
        if self.own_store is None:
            return None
        try:
            own = parse_store(self.own_store.value, self.own_store.source)
        except InvalidRequestError:  # no store of any use, and so not this one
            return None
        return self.token_file if isinstance(own, RemoteStore) and own.origin == store.origin else None


def load_config(flags: Flags, environ: Mapping[str, str]) -> Config:
    """Flag before `ROUTIC_*` variable before profile before default."""
    for name in ("store", "profile"):
        if getattr(flags, name) == "":  # an unset variable of a script, perhaps: the default would be another store
            raise InvalidRequestError(f"--{name} is empty", not_done="Nothing was done", param=name)
    paths = default_paths(environ)
    document = read_document(paths.config_file)
    profile = chosen_profile(flags, environ, document, paths.config_file)
    own = _profile_settings(document, profile, paths.config_file)
    store = _first(
        Setting(flags.store or "", "--store"),
        Setting(environ.get("ROUTIC_STORE", ""), "ROUTIC_STORE"),
        own.get("store"),
        Setting(str(paths.key_store), "default"),
    )
    if store is None:
        raise AssertionError("the default store is never empty")
    token_file = Setting(environ[TOKEN_FILE], TOKEN_FILE) if TOKEN_FILE in environ else own.get("token_file")
    return Config(
        paths=paths,
        store=store,
        profile=profile,
        ca_file=_first(Setting(environ.get(CA_FILE, ""), CA_FILE), own.get("ca_file")),
        token_file=token_file,
        own_store=own.get("store"),
        account=_checked(_first(Setting(environ.get(ACCOUNT, ""), ACCOUNT), own.get("account"))),
        thresholds=thresholds_of(document, paths.config_file),
    )


def chosen_profile(
    flags: Flags, environ: Mapping[str, str], document: Mapping[str, object], path: Path
) -> Setting | None:
    """The profile that flag, variable or file name, whether or not there is one of that name."""
    return _first(
        Setting(flags.profile or "", "--profile"),
        Setting(environ.get("ROUTIC_PROFILE", ""), "ROUTIC_PROFILE"),
        Setting(_text(document, "profile", path), str(path)),
    )


def _checked(account: Setting | None) -> Setting | None:
    return None if account is None else replace(account, value=checked_account(account.value, account.source))


def thresholds_of(document: Mapping[str, object], path: Path) -> Mapping[str, int]:
    """The thresholds that the file's section `audit` sets; InvalidRequestError for what is none."""
    section = document.get(AUDIT, {})
    if not isinstance(section, dict):
        raise InvalidRequestError(f"'{AUDIT}' in {path} must be a table", not_done="Nothing was done")
    for name, value in section.items():
        check_threshold(name, value, where=f" in {path}", not_done="Nothing was done")
    return dict(section)


def check_threshold(name: str, value: object, *, where: str = "", not_done: str) -> None:
    """InvalidRequestError unless the audit has a threshold of that name, and it can have that value."""
    if name not in THRESHOLDS:
        raise InvalidRequestError(
            f"There is no threshold '{name}' of the audit{where}",
            why=f"There are {', '.join(THRESHOLDS)}",
            not_done=not_done,
            param=f"{AUDIT}.{name}",
        )
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= HIGHEST:
        raise InvalidRequestError(
            f"The threshold '{AUDIT}.{name}' cannot be {value!r}{where}",
            why=f"It is a whole number from 1 to {HIGHEST:,}",
            not_done=not_done,
            param=f"{AUDIT}.{name}",
        )


def asks_for_no_input(flags: Flags, environ: Mapping[str, str]) -> bool:
    """Whether --no-input or ROUTIC_NO_INPUT forbids every question."""
    return flags.no_input or environ.get("ROUTIC_NO_INPUT", "").lower() in _TRUE


def _first(*settings: Setting | None) -> Setting | None:
    return next((setting for setting in settings if setting is not None and setting.value), None)


def _profile_settings(document: Mapping[str, object], profile: Setting | None, path: Path) -> Mapping[str, Setting]:
    """What the profile sets, by name; nothing of what it leaves empty."""
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
    unknown = sorted(set(values) - set(PROFILE_FIELDS))
    if unknown:
        raise InvalidRequestError(
            f"The profile '{profile.value}' has a setting '{unknown[0]}' that routic does not know",
            why=f"{path} may have: {', '.join(sorted(PROFILE_FIELDS))}",
            not_done="Nothing was done",
        )
    settings = {name: Setting(_text(values, name, path), f"profile {profile.value}") for name in values}
    for name in ("ca_file", "token_file"):
        value = settings[name].value if name in settings else ""
        if value and (not Path(value).is_absolute() or "\0" in value):
            raise InvalidRequestError(
                f"'{name}' of the profile '{profile.value}' must be an absolute path",
                why=f"A relative one in {path} would be looked for in the working directory",
                not_done="Nothing was done",
            )
    return {name: setting for name, setting in settings.items() if setting.value}


def _text(document: Mapping[str, object], field: str, path: Path) -> str:
    value = document.get(field, "")
    if not isinstance(value, str):
        raise InvalidRequestError(f"'{field}' in {path} must be a text", not_done="Nothing was done")
    return value
