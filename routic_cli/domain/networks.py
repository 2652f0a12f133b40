"""Which block of addresses a caller is from: what stays when pods and leases change."""

from __future__ import annotations

import ipaddress
from typing import Final

_PREFIXES: Final = {4: 24, 6: 48}


def network_of(address: str | None) -> str | None:
    """The /24 or /48 around an address, in its usual form; None for a text that is no address."""
    if not address:
        return None
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(ip, "ipv4_mapped", None)  # ::ffff:192.0.2.1 is the IPv4 address of a socket for both
    ip = mapped or ip
    return str(ipaddress.ip_network((ip, _PREFIXES[ip.version]), strict=False))
