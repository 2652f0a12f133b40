"""What a configuration says of its store."""

from __future__ import annotations

from routic_cli.config import Config
from routic_cli.store_url import LocalStore, RemoteStore, StoreUrl, parse_store


def store_of(config: Config) -> tuple[str, str]:
    return config.store.value, config.store.source


def local(url: StoreUrl) -> LocalStore:
    assert isinstance(url, LocalStore)
    return url


def remote(text: str) -> RemoteStore:
    url = parse_store(text, "--store")
    assert isinstance(url, RemoteStore)
    return url
