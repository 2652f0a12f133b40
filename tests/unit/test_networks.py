"""The block of an address stays when pods and leases change."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.networks import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("192.0.2.255", "192.0.2.0/24"),
        ("192.0.3.0", "192.0.3.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("2001:DB8:0001:ffff::", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
    ],
)
def test_a_block_has_one_form(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("address", [None, "", "unix:", "-", "192.0.2", "192.0.2.7:443", "example.com", "1" * 5000])
def test_what_is_no_address_has_no_block(address: str | None) -> None:
    assert network_of(address) is None


@given(st.ip_addresses())
def test_an_address_lies_in_its_block(address: IPv4Address | IPv6Address) -> None:
    network = network_of(str(address))

    assert network is not None
    mapped = getattr(address, "ipv4_mapped", None)
    assert ip_address(str(mapped or address)) in ip_network(network)
