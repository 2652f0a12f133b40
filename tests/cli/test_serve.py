"""`routic serve`: what it refuses to begin, what it says, and how it ends."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import Authority
from tests.support.gateways import Serving, routic_serve
from tests.support.sandbox import DEADLINE, Sandbox


def admin_of(sandbox: Sandbox) -> str:
    """A credential for the server's store."""
    return sandbox.ok("keys", "create", "--name", "ops", "--scope", "admin").secret


def names(sandbox: Sandbox, environ: dict[str, str] | None = None) -> list[str]:
    return [key["name"] for key in sandbox.ok("keys", "list", "--json", env=environ or {}).data["data"]]


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_the_local_store_until_it_is_told_to_end(sandbox: Sandbox, workers: int) -> None:
    token = admin_of(sandbox)
    with routic_serve(sandbox, "--workers", workers) as serving:
        there = {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        sandbox.ok("keys", "create", "--name", "web", env=there)
        assert names(sandbox, there) == ["ops", "web"]

    assert sandbox.run("keys", "list", env=there).code == 7
    assert names(sandbox) == ["ops", "web"]
    assert token not in serving.log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_line_of_its_log_is_one_object(sandbox: Sandbox, workers: int) -> None:
    token = admin_of(sandbox)
    with routic_serve(sandbox, "--workers", workers) as serving:
        assert names(sandbox, {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}) == ["ops"]
        with socket.create_connection(_address(serving), DEADLINE) as connection:
            connection.sendall(f"{token} is no request\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 400")

    lines = [json.loads(line) for line in serving.log.read_text().splitlines()]
    told = [line.get("event") or line["path"] for line in lines]
    assert {"started", "ended", "message", "/admin/v1/keys"} <= set(told)
    assert ("limits_apart" in told) is (workers > 1)
    assert token not in serving.log.read_text()


def test_a_request_in_flight_is_answered_before_it_ends(sandbox: Sandbox) -> None:
    token = admin_of(sandbox)
    with routic_serve(sandbox) as serving, _half_a_request(serving, token) as connection:
        serving.process.terminate()
        while _listens(serving):
            assert serving.process.poll() is None
        connection.sendall(b"}")
        reply = b"".join(iter(lambda: connection.recv(65536), b""))

    head, _, content = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(content)["status"] == "unknown"


def _half_a_request(serving: Serving, token: str) -> socket.socket:
    """A connection on which all of a request has been sent but its last byte."""
    body = b'{"sha256":"' + b"0" * 64 + b'"'
    connection = socket.create_connection(_address(serving), DEADLINE)
    connection.sendall(
        f"POST /admin/v1/keys/verify HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body) + 1}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n".encode()
    )
    assert connection.recv(100).startswith(b"HTTP/1.1 100")  # it has begun with it
    connection.sendall(body)
    return connection


def _listens(serving: Serving) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(_address(serving)) == 0


def _address(serving: Serving) -> tuple[str, int]:
    parts = urlsplit(serving.url)
    return str(parts.hostname), int(parts.port or 0)


def test_with_a_certificate_it_speaks_https_to_those_who_trust_it(sandbox: Sandbox) -> None:
    authority = Authority.found(sandbox.root)
    authority.server()  # leaves server.pem beside it, certificate and key
    pem = sandbox.root / "server.pem"
    token = admin_of(sandbox)
    with routic_serve(sandbox, "--tls-cert", pem, "--tls-key", pem) as serving:
        there = {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": token}
        refused = sandbox.run("keys", "list", env=there)
        trusted = sandbox.run("keys", "list", env={**there, "ROUTIC_CA_FILE": str(authority.file)})

    assert serving.url.startswith("https://")
    assert refused.code == 7
    assert "certificate" in refused.err
    assert trusted.code == 0


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--host", "0.0.0.0"], 6, "--behind-tls"),
        (["--host", "::"], 6, "--tls-cert"),
        (["--host", "gateway.example"], 6, "plain text"),
        (["--tls-cert", "missing.pem"], 2, "go together"),
        (["--tls-cert", "missing.pem", "--tls-key", "missing.pem"], 2, "could not be read"),
        (["--store", "http://127.0.0.1:1"], 2, "a store of its own"),
        (["--workers", "0"], 2, "--workers"),
        (["--workers", "2", "--trust", "nonsense"], 2, "no network"),
        (["--host", "192.0.2.1", "--behind-tls"], 1, "cannot be listened on"),
    ],
)
def test_what_it_refuses_to_begin(sandbox: Sandbox, flags: list[str], code: int, said: str) -> None:
    done = sandbox.run("serve", *flags)

    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "No server was started" in done.err or "Nothing was done" in done.err
    assert not sandbox.key_store.exists()


def test_a_retiring_credential_cannot_keep_itself_alive(sandbox: Sandbox) -> None:
    old = admin_of(sandbox)
    with routic_serve(sandbox) as serving:
        there = {"ROUTIC_STORE": serving.url, "ROUTIC_TOKEN": old}
        new = sandbox.ok("rotate", "ops", "--grace", "1h", "--show", env=there).secret
        refused = sandbox.run("rotate", "ops", "--abort", "--yes", env=there)
        assert names(sandbox, there) == ["ops"]  # it is let in until its end, for everything else
        finished = sandbox.ok("rotate", "ops", "--finish", "--force", "--yes", env={**there, "ROUTIC_TOKEN": new})
        ended = sandbox.run("keys", "list", env=there)

    assert refused.code != 0
    assert finished.code == 0
    assert ended.code == 4


def test_a_head_without_end_is_cut_off(sandbox: Sandbox) -> None:
    with routic_serve(sandbox) as serving, socket.create_connection(_address(serving), DEADLINE) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ")
        with pytest.raises(OSError):  # noqa: PT011  # reset or broken pipe, as the kernel has it
            connection.sendall(b"a" * (100 << 20))


def test_a_port_that_is_taken_is_said(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = sandbox.run("serve", "--port", taken.getsockname()[1])

    assert done.code == 1
    assert "in use" in done.err
    assert "--port 0" in done.err


def test_several_workers_without_a_place_to_count_together_are_warned_of(sandbox: Sandbox) -> None:
    with routic_serve(sandbox, "--workers", 2) as serving:
        assert "ROUTIC_REDIS_URL" in serving.log.read_text()
    wrong = sandbox.run("serve", "--port", 0, env={"ROUTIC_REDIS_URL": "https://user:password@example.org"})
    assert (wrong.code, "password" in wrong.err) == (2, False)


def test_a_damaged_store_is_told_of_before_anybody_is_served(sandbox: Sandbox) -> None:
    admin_of(sandbox)
    store: Path = sandbox.key_store
    store.write_bytes(store.read_bytes()[:1000])
    done = sandbox.run("serve", "--port", 0)

    assert done.code == 10
