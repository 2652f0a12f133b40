"""Which block of addresses a caller is from: what stays when pods and leases change."""

from __future__ import annotations

import ipaddress
from typing import Final

_PREFIXES: Final = {4: 24, 6: 48}
_ONE_CALLER: Final = 64
"""Of an IPv6 address, what a network gives to one machine, which calls from any address in it."""


def network_of(address: str | None) -> str | None:
    """The /24 or /48 around an address, in its usual form; None for a text that is no address."""
    ip = _parsed(address)
    return None if ip is None else str(ipaddress.ip_network((ip, _PREFIXES[ip.version]), strict=False))


def caller_of(address: str | None) -> str | None:
    """What is likely one machine's: an IPv4 address, the /64 around one of IPv6; any other text as it is."""
    ip = _parsed(address) if address and ":" in address else None
    if ip is None:
        return address
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, _ONE_CALLER), strict=False))  # noqa: PLR2004


def _parsed(address: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if not address:
        return None
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    # ::ffff:192.0.2.1 is the IPv4 address of a socket for both.
    return getattr(ip, "ipv4_mapped", None) or ip
