"""Every setting of a run, with its value and where it came from; never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from routic_cli.config import AUDIT, TOKEN, TOKEN_FILE, Config, Flags, asks_for_no_input
from routic_cli.domain.audit.policy import THRESHOLDS
from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.key_format import contains_secret_shape
from routic_cli.store_url import RemoteStore, StoreUrl, is_speakable

READABLE: Final = ("profile", "store", "account", "ca_file", "token_file", "token", "no_input", f"{AUDIT}.THRESHOLD")
"""What can be asked for; docs/audit.md lists the thresholds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting as it is shown: never a secret. `value` is None where nothing is set."""

    name: str
    value: str | None
    source: str


def all_settings(config: Config, flags: Flags, environ: Mapping[str, str]) -> list[Shown]:
    """Every setting of this run, in the order of READABLE."""
    profile, ca_file = config.profile, config.ca_file
    try:
        url: StoreUrl | None = config.store_url
    except InvalidRequestError:  # whoever needs the store will hear of it
        url = None
    forbidden = asks_for_no_input(flags, environ)
    by = "--no-input" if flags.no_input else "ROUTIC_NO_INPUT" if forbidden else "default"
    return [
        Shown("profile", profile.value, profile.source) if profile else Shown("profile", None, "default"),
        Shown("store", _shown_store(config.store.value, url), config.store.source),
        _shown_account(config, url),
        Shown("ca_file", ca_file.value, ca_file.source) if ca_file else Shown("ca_file", None, "default"),
        _shown_token_file(config, url),
        _shown_token(config, url, environ),
        Shown("no_input", str(forbidden).lower(), by),
        *_shown_thresholds(config),
    ]


def _shown_account(config: Config, url: StoreUrl | None) -> Shown:
    if config.account is not None:
        return Shown("account", config.account.value, config.account.source)
    if isinstance(url, RemoteStore):
        return Shown("account", None, "the credential's")
    return Shown("account", config.account_name, "default")


def _shown_thresholds(config: Config) -> list[Shown]:
    policy, path = config.policy, str(config.paths.config_file)
    return [
        Shown(f"{AUDIT}.{name}", str(getattr(policy, name)), path if name in config.thresholds else "default")
        for name in THRESHOLDS
    ]


def _shown_store(text: str, url: StoreUrl | None) -> str:
    if url is not None:
        return url.url
    return text if is_speakable(text) else f"{text.partition(':')[0]}:…"


def _shown_token_file(config: Config, url: StoreUrl | None) -> Shown:
    setting = config.token_file
    if setting is None:
        return Shown("token_file", None, "default")
    # Whoever takes the one variable for the other has put the token where a path belongs.
    value = "…" if contains_secret_shape(setting.value) else setting.value
    unused = isinstance(url, RemoteStore) and config.token_file_for(url) is None
    return Shown("token_file", value, f"{setting.source}, for its own store only" if unused else setting.source)


def _shown_token(config: Config, url: StoreUrl | None, environ: Mapping[str, str]) -> Shown:
    if TOKEN in environ:
        return Shown("token", "set, never shown", TOKEN)
    if not isinstance(url, RemoteStore):
        return Shown("token", None, "needed for https:// stores only")
    setting = config.token_file_for(url)
    if setting is None:
        return Shown("token", None, "keyring, of which routic auth status tells")
    return Shown("token", None, setting.source if setting.source == TOKEN_FILE else f"token_file of {setting.source}")
