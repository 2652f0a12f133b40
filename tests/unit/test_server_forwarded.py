"""What a gateway says of a request counts when it is trusted, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.server.forwarded import Call, Forwarded, collected
from tests.support.encoded import encoded

KEY = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"


def read(
    *headers: tuple[str, str], client: str | None = "127.0.0.1", trusted: tuple[str, ...] = (), **scope: Any
) -> Call:
    found, _ = collected([(name.encode(), value.encode("latin-1")) for name, value in headers])
    whole = {"method": "GET", "path": "/auth", "query_string": b"", "client": (client, 1) if client else None}
    return Forwarded(trusted).read(whole | scope, found)


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:DB8:0::9", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("unknown, 10.1.2.3", "10.1.2.3"),
        ("203.0.113.9, unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("1.1.1.1, " * 500 + "203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_caller_is_the_last_whom_no_trusted_proxy_is(chain: str, address: str) -> None:
    assert read(("x-forwarded-for", chain), trusted=("10.0.0.0/8",)).address == address


def test_a_chain_in_several_headers_is_one_chain() -> None:
    call = read(("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.1.2.3"), trusted=("10.0.0.0/8",))
    assert call.address == "203.0.113.9"


def test_without_a_chain_it_is_the_real_ip_and_without_that_the_peer() -> None:
    assert read(("x-real-ip", "203.0.113.9")).address == "203.0.113.9"
    assert read().address == "127.0.0.1"
    assert read(client=None).address == ""


GATEWAY = (
    ("x-forwarded-for", "203.0.113.9"),
    ("x-real-ip", "203.0.113.8"),
    ("x-forwarded-method", "POST"),
    ("x-forwarded-proto", "http"),
    ("x-original-uri", f"/v1/chat?key={KEY}"),
)


@pytest.mark.parametrize(
    "client", ["127.0.0.1", "127.8.8.8", "::1", "10.3.2.1", "2001:db8::5", "::ffff:10.3.2.1", None]
)
def test_loopback_unix_sockets_and_named_networks_are_believed(client: str | None) -> None:
    call = read(*GATEWAY, client=client, trusted=("10.0.0.0/8", "2001:db8::/64"))
    assert (call.address, call.method, call.path) == ("203.0.113.9", "POST", "/v1/chat")
    assert call.flags == ("key_in_url", "plain_http")


@pytest.mark.parametrize("client", ["192.0.2.1", "11.0.0.1", "2001:db8:1::1", "testclient"])
def test_nobody_else_is(client: str) -> None:
    call = read(*GATEWAY, client=client, trusted=("10.0.0.0/8", "2001:db8::/64"))
    assert (call.address, call.method, call.path, call.flags) == (client, "GET", "/auth", ())


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/v1/chat?x=1", "/v1/chat"),
        ("/v1/chat", "/v1/chat"),
        ("/v1/chat#f", "/v1/chat"),
        ("https://gateway.example/v1/chat?x=1", "/v1/chat"),
        ("https://gateway.example", "/"),
        ("?x=1", "/"),
        ("/a%20b", "/a%20b"),
        (f"/v1/{KEY}/models", "/v1/sk-…/models"),
        (f"/v1/%73k-{KEY[3:]}", "/v1/sk-…"),
        ("/v1/files/task-0123456789abcdefghijkl", "/v1/files/task-0123456789abcdefghijkl"),
    ],
)
def test_a_path_has_no_query_and_no_key(uri: str, path: str) -> None:
    assert read(("x-forwarded-uri", uri)).path == path


@pytest.mark.parametrize("times", [1, 2, 4, 10])
def test_a_key_is_found_and_masked_however_often_it_was_encoded(times: int) -> None:
    key = encoded(KEY, times)
    call = read(("x-original-uri", f"/v1/{key}?x"), ("user-agent", f"ua {key}"), ("origin", f"https://{key}"))

    assert (call.path, call.agent, call.origin) == ("/v1/sk-…", "ua sk-…", "https://sk-…")
    assert call.key_in_url
    assert read(("x-original-uri", f"/v1?key={key}")).key_in_url
    assert read(query_string=f"key={key}".encode()).key_in_url


def test_a_path_is_bounded() -> None:
    assert len(read(("x-forwarded-uri", "/" + "x" * 60_000), ("user-agent", "y" * 60_000)).path) <= 512
    assert len(read(("user-agent", "y" * 60_000), ("origin", "z" * 60_000)).agent) <= 256


def test_envoy_asks_at_auth_followed_by_the_path() -> None:
    assert read(path="/auth/v1/models").path == "/v1/models"
    assert read(path=f"/auth/v1/{KEY}").flags == ("key_in_url",)


@pytest.mark.parametrize(("proto", "flags"), [("http", ("plain_http",)), ("https", ()), ("HTTP", ("plain_http",))])
def test_plain_http_is_noted(proto: str, flags: tuple[str, ...]) -> None:
    assert read(("x-forwarded-proto", proto)).flags == flags


def test_a_method_that_is_none_is_not_taken_over() -> None:
    assert read(("x-forwarded-method", "PO ST")).method == "GET"
    assert read(("x-original-method", "DELETE")).method == "DELETE"


def test_two_authorization_headers_are_noticed_and_other_repetitions_are_not() -> None:
    assert collected([(b"authorization", b"a"), (b"authorization", b"b")])[1]
    assert not collected([(b"authorization", b"a"), (b"x", b"1"), (b"x", b"2")])[1]


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no network"):
        Forwarded(["10.0.0.0/99"])
