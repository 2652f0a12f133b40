"""A store's URL: what it may look like, and the one canonical form by which everything remembers it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.key_format import contains_secret_shape

_SQLITE: Final = "sqlite:///"
_KNOWN: Final = "It knows sqlite:///relative.db, sqlite:////absolute.db, plain paths, and https://HOST[/base]"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:sqlite|postgresql|https?):", re.IGNORECASE)
# Taken apart by a strict pattern of our own: what the client's parser makes of the canonical form is never in doubt.
_REMOTE: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[^/:\[\]\s]+)(?::(?P<port>[0-9]{0,5}))?(?P<base>(?:/[^/\s]+)*)/?",
    re.IGNORECASE | re.ASCII,
)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]+")
_IPV4: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LONGEST_HOST: Final = 253
_LARGEST_PORT: Final = 65535
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class LocalStore:
    """A store that is a file of this machine."""

    url: str
    path: Path


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """A store behind an admin API. `origin` is its scheme, host and port: what a credential is bound to."""

    url: str
    origin: str


StoreUrl = LocalStore | RemoteStore


def parse_store(text: str, source: str) -> StoreUrl:
    """The store that a URL or a path names; `source` is where it came from, such as `--store`.

    InvalidRequestError for what this routic cannot use, which never repeats the text: it may hold a password.
    """
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[0].lower() in {"http://", "https://"}:
        return _remote(text, source)
    if text.startswith(_SQLITE):
        return _local(text.removeprefix(_SQLITE), source)
    if scheme is not None or "://" in text:
        raise InvalidRequestError(
            f"This routic cannot use the store that {source} names",
            why=_KNOWN,
            not_done="Nothing was done",
            remedy="routic --store PATH …",
            param="store",
        )
    return _local(text, source)


def is_speakable(text: str) -> bool:
    """Whether a text that was given for a store can be shown: no user name, password or key can be in it."""
    plain = text.startswith(_SQLITE) or ":" not in text or not any(char in text for char in "@?#")
    return plain and not contains_secret_shape(text)


def _local(path: str, source: str) -> LocalStore:
    if not path or path.endswith(("/", os.sep)) or "\0" in path:
        raise InvalidRequestError(
            f"{source} names no file", why="A store is one file", not_done="Nothing was done", param="store"
        )
    # The folder's links are followed, the file's own is not: a store that is a link is refused when it is opened.
    absolute = Path(path).absolute()
    resolved = Path(os.path.realpath(absolute.parent)) / absolute.name
    return LocalStore(f"{_SQLITE}{resolved}", resolved)


def _remote(text: str, source: str) -> RemoteStore:
    if not is_speakable(text) or "@" in text:
        raise _refused(
            source,
            "A store's URL has no user name, no password and no query, for it is shown and remembered",
            remedy="routic --store https://HOST auth login, for the credential",
        )
    found = _REMOTE.fullmatch(text)
    if found is None:
        raise _refused(source, "It is not of the form https://HOST[:PORT][/base]")
    scheme, host = found["scheme"].lower(), _host(found["host"], source)
    if scheme == "http" and not _is_loopback(host):
        raise _refused(
            source,
            "http:// is for this machine alone (localhost, 127.0.0.0/8, [::1]): on a network others could read the"
            " credential",
            remedy=f"routic --store https://{host}{':' + found['port'] if found['port'] else ''} …",
        )
    port = int(found["port"]) if found["port"] else _DEFAULT_PORTS[scheme]
    if not 0 < port <= _LARGEST_PORT:
        raise _refused(source, f"A port is a number from 1 to {_LARGEST_PORT}")
    base = found["base"]
    if any(not _SEGMENT.fullmatch(part) or part in {".", ".."} for part in base.split("/")[1:]):
        raise _refused(source, "The path behind its host may have letters, digits, '.', '_', '~' and '-'")
    origin = f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")
    return RemoteStore(origin + base, origin)


def _host(text: str, source: str) -> str:
    """The host as every program compares it: lower case, ASCII, IPv6 in its shortest form."""
    if text.startswith("["):
        return f"[{_ipv6(text[1:-1], source)}]"
    host = text.lower() if text.isascii() else _internationalized(text, source)
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(source, "Its host is no name that a machine can have")
    if _NUMBER.fullmatch(labels[-1]) and not _IPV4.fullmatch(host):
        raise _refused(source, "Its host is no address: four numbers with dots between them")
    return host


def _ipv6(text: str, source: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise _refused(source, "Its host is no IPv6 address") from None


def _internationalized(text: str, source: str) -> str:
    import idna  # of IDNA 2008, as the client is: Python's own would make fass.de of faß.de, another host

    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise _refused(source, "Its host is no name that a machine can have") from None


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "[::1]"} or (host.startswith("127.") and _IPV4.fullmatch(host) is not None)


def _refused(source: str, why: str, *, remedy: str = "") -> InvalidRequestError:
    return InvalidRequestError(
        f"The URL that {source} names is no store's", why=why, not_done="Nothing was done", remedy=remedy, param="store"
    )
