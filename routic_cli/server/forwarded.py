"""What a gateway says of the request that it asks about: how it came, from where, what for.

Its word counts only when it is a trusted peer: anybody else could write the same headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, NamedTuple

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.domain.key_format import contains_secret_shape
from routic_cli.domain.percent import decoded
from routic_cli.domain.usage import Flag, path_in, without_keys

AUTH_PATH: Final = "/auth"

_URI_HEADERS: Final = (b"x-original-uri", b"x-forwarded-uri", b"x-original-url")
_METHOD_HEADERS: Final = (b"x-forwarded-method", b"x-original-method")
_SAYS: Final = frozenset({*_URI_HEADERS, *_METHOD_HEADERS, b"x-forwarded-proto", b"x-forwarded-for", b"x-real-ip"})
_METHOD: Final = re.compile(rb"[A-Z]{1,16}")
_WITH_PORT: Final = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
# Of plain texts, made once: of two bits, the lower is a key in the URL.
_FLAGS: Final = ((), (Flag.KEY_IN_URL.value,), (Flag.PLAIN_HTTP.value,), (Flag.KEY_IN_URL.value, Flag.PLAIN_HTTP.value))
_LONGEST_PATH: Final = 512
_LONGEST_AGENT: Final = 256
_LONGEST_ORIGIN: Final = 256
_LONGEST_CHAIN: Final = 512
_ADDRESSES_KEPT: Final = 4096


class Call(NamedTuple):
    """The request that the gateway asks about. Nothing in it is shaped like a key."""

    method: str
    path: str
    address: str
    agent: str
    origin: str | None
    key_in_url: bool
    plain_http: bool

    @property
    def flags(self) -> tuple[str, ...]:
        """What is wrong with how the key travelled, as an event has it."""
        return _FLAGS[self.key_in_url + 2 * self.plain_http]


def collected(headers: Sequence[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], bool]:
    """The headers by name, repeated ones joined as HTTP has it; and whether more than one is Authorization."""
    found = dict(headers)
    if len(found) == len(headers):
        return found, False
    found = {}
    for name, value in headers:
        found[name] = found[name] + b", " + value if name in found else value
    return found, sum(name == b"authorization" for name, _ in headers) > 1


class Forwarded:
    """Reads requests. `trusted` are networks whose word counts, beside loopback and unix sockets."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._networks = [_network(text) for text in ("127.0.0.0/8", "::1/128", *trusted)]
        # Each is asked for every request, and there are few of them; both are bounded.
        self._is_trusted = lru_cache(_ADDRESSES_KEPT)(self._judge)
        self._last_untrusted = lru_cache(_ADDRESSES_KEPT)(self._follow)

    def read(self, scope: MutableMapping[str, Any], headers: Mapping[bytes, bytes]) -> Call:
        """The request behind the one in `scope`."""
        client = scope.get("client")
        peer = client[0] if client else None
        method, address, plain_http = scope["method"], peer, False
        uris: tuple[bytes, ...] = ()
        if (peer is None or self._is_trusted(peer)) and not _SAYS.isdisjoint(headers):
            method = _method(headers) or method
            address = self._address(headers) or peer
            plain_http = headers.get(b"x-forwarded-proto", b"")[:5].rstrip(b" ,").lower() == b"http"
            # All of them: a gateway sets one, and passes on what a caller has written into the others.
            uris = tuple(headers[name] for name in _URI_HEADERS if name in headers)
        # Envoy asks at /auth followed by the path that it asks about.
        uri = uris[0] if uris else (scope["path"].removeprefix(AUTH_PATH) or scope["path"]).encode()
        key_in_url = False
        for each in (*uris, uri, scope["query_string"]):
            if (b"sk-" in each or b"%" in each) and _has_key(each):
                key_in_url = True
        agent, origin = headers.get(b"user-agent"), headers.get(b"origin")
        return Call(
            method,
            _path(uri),
            address or "",
            without_keys(agent.decode("latin-1"), _LONGEST_AGENT) if agent is not None else "",
            without_keys(origin.decode("latin-1"), _LONGEST_ORIGIN) if origin is not None else None,
            key_in_url,
            plain_http,
        )

    def _address(self, headers: Mapping[bytes, bytes]) -> str | None:
        chain = headers.get(b"x-forwarded-for", headers.get(b"x-real-ip"))
        if chain is None:
            return None
        # What is remembered outlives the request: not what could be a key that was written in there.
        follow = self._follow if b"sk-" in chain or b"%" in chain else self._last_untrusted
        return follow(chain[-_LONGEST_CHAIN:])

    def _follow(self, chain: bytes) -> str | None:
        """The nearest address that no trusted proxy has; what stands left of it anybody may have written."""
        nearest = None
        for each in reversed(chain.decode("latin-1").split(",")):
            address = _address_of(each)
            if address is None:
                return nearest
            nearest = address
            if not self._is_trusted(address):
                return address
        return nearest

    def _judge(self, text: str) -> bool:
        address = _address_of(text)
        return address is not None and any(ip_address(address) in network for network in self._networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise InvalidRequestError(
            f"'{text}' is no network",
            why="It is an address, or one with a length such as 10.0.0.0/8",
            not_done="No server was started",
            param="trust",
        ) from None


def _address_of(text: str) -> str | None:
    """An address in its shortest form, without its port; None for what is none."""
    text = text.strip()
    port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((port["v6"] or port["v4"]) if port else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or address)
    return str(address)


def _method(headers: Mapping[bytes, bytes]) -> str | None:
    for name in _METHOD_HEADERS:
        method = headers.get(name)
        if method is not None and _METHOD.fullmatch(method):
            return method.decode("ascii")
    return None


def _has_key(uri: bytes) -> bool:
    return contains_secret_shape(decoded(uri.decode("latin-1")))


def _path(uri: bytes) -> str:
    """The path without its query, and without anything shaped like a key, written plainly or with percent signs."""
    return without_keys(path_in(uri.decode("latin-1")) or "/", _LONGEST_PATH)
