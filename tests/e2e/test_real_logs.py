"""Logs of a real nginx and a real Caddy, with the recipes of docs/usage-logs.md, become the calls that were made."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import pytest

from routic_cli.domain.usage import UsageEvent
from routic_cli.store.usage import UsageStore
from tests.support import gateways
from tests.support.sandbox import DEADLINE, Sandbox
from tests.support.server import serving
from tests.support.usage_events import all_events

PAGE: Final = (Path(__file__).parents[2] / "docs/usage-logs.md").read_text()
UNKNOWN: Final = "sk-Ky9Pf34qY6Nb3wWD25RQ4F5ZR3qa7yEeeby3abP16aSEj"
ODD_AGENT: Final = 'Bot "quoted" \\ caf\xe9'.encode("latin-1")

_NGINX: Final = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {recipe}
    {server}
}}
"""
_SERVER: Final = """
server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "hello"; }}
    location /refused {{ return 401; }}
}}
"""


def recipe(language: str, place: int = 0) -> str:
    """A block of the page, as it stands there."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return blocks[place]


def replaced(text: str, written: str, real: object) -> str:
    assert written in text
    return text.replace(written, str(real))


@dataclass(frozen=True, slots=True)
class Logged:
    """A server that logs, and where."""

    url: str
    log: Path


@contextmanager
def nginx(folder: Path) -> Iterator[Logged]:
    port, log = gateways.free_port(), folder / "usage.log"
    text = _NGINX.format(
        user="user root;" if os.geteuid() == 0 else "",
        folder=folder,
        recipe=replaced(recipe("nginx"), "/var/log/nginx/usage.log", log),
        server=_SERVER.format(port=port),
    )
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log")]
    with gateways._running(command, folder, port):
        yield Logged(f"http://127.0.0.1:{port}", log)


@contextmanager
def caddy(folder: Path) -> Iterator[Logged]:
    port, log = gateways.free_port(), folder / "usage.log"

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        del receive
        if scope["type"] == "http":
            status = 401 if scope["path"] == "/refused" else 200
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})

    with serving(behind, lifespan="off") as model:
        text = recipe("caddyfile")
        text = replaced(text, "{\n\tservers", "{\n\tadmin off\n\tauto_https off\n\tservers")
        text = replaced(text, "/var/log/caddy/usage.log", log)
        text = replaced(text, ":8080", f":{port}")
        (folder / "Caddyfile").write_text(replaced(text, ":9000", f":{urlsplit(model).port}"))
        command = ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
        with gateways._running(command, folder, port):
            yield Logged(f"http://127.0.0.1:{port}", log)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")


def await_lines(log: Path, count: int) -> None:
    deadline = time.monotonic() + DEADLINE
    while not log.exists() or log.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def events(sandbox: Sandbox) -> list[UsageEvent]:
    with closing(UsageStore(sandbox.key_store.with_name("usage.db"))) as store:
        return all_events(store)


@pytest.mark.parametrize("server", [nginx, caddy])
def test_the_calls_of_a_log_are_those_that_were_made(server: Callable[[Path], Any], tmp_path: Path) -> None:
    need(server.__name__)
    sandbox = Sandbox(tmp_path / "machine")
    key = sandbox.ok("keys", "create", "--name", "good", "--json").data
    secret = key["value"]
    folder = tmp_path / "server"
    folder.mkdir()
    with server(folder) as logged, httpx2.Client(trust_env=False, base_url=logged.url) as client:

        def call(method: str, path: str, token: str | None = None, **headers: str | bytes) -> None:
            given: dict[str, str | bytes] = {"User-Agent": "OpenAI/Python 2.8.1", **headers}
            if token:
                given["Authorization"] = f"Bearer {token}"
            client.request(method, path, headers=[(name.encode(), _bytes(value)) for name, value in given.items()])

        call("POST", "/v1/chat/completions?stream=true", secret)
        call("GET", "/v1/models", secret, Origin="https://shop.example")
        call("GET", f"/v1/files?api_key={secret}")
        call("GET", "/refused", UNKNOWN)
        call("GET", "/refused")
        call("GET", "/v1/odd", secret, **{"User-Agent": ODD_AGENT})
        await_lines(logged.log, 6)

    assert b"Cookie" not in logged.log.read_bytes()
    done = sandbox.ok("usage", "import", logged.log)
    assert "6 calls imported" in done.err
    found = {(each.method, each.path, each.outcome): each for each in events(sandbox)}
    assert set(found) == {
        ("POST", "/v1/chat/completions", "allowed"),
        ("GET", "/v1/models", "allowed"),
        ("GET", "/v1/files", "allowed"),
        ("GET", "/refused", "unknown"),
        ("GET", "/refused", "missing"),
        ("GET", "/v1/odd", "allowed"),
    }
    chat = found["POST", "/v1/chat/completions", "allowed"]
    assert (chat.key_id, chat.version, chat.status, chat.address) == (key["id"], 1, 200, "127.0.0.1")
    assert (chat.agent, chat.flags) == ("OpenAI/Python 2.8.1", ("plain_http",))
    assert found["GET", "/v1/models", "allowed"].origin == "https://shop.example"
    in_url = found["GET", "/v1/files", "allowed"]
    assert (in_url.key_id, in_url.flags) == (key["id"], ("key_in_url", "plain_http"))
    assert found["GET", "/v1/odd", "allowed"].agent.startswith('Bot "quoted" \\ caf')
    assert found["GET", "/refused", "unknown"].sha256 is not None

    packed = tmp_path / "usage.log.1.gz"
    packed.write_bytes(gzip.compress(logged.log.read_bytes()))
    assert sandbox.ok("usage", "import", packed, "--json").data["new"] == 0
    logged.log.unlink()
    assert sandbox.holders(secret) == sandbox.holders(UNKNOWN) == []


def test_a_gateway_that_asks_auth_can_log_whose_call_it_was_without_the_key(tmp_path: Path) -> None:
    need("nginx")
    sandbox, port, log = Sandbox(tmp_path / "machine"), gateways.free_port(), tmp_path / "usage.log"
    key = sandbox.ok("keys", "create", "--name", "good", "--json").data

    async def model(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with ExitStack() as stack:
        behind = stack.enter_context(serving(model, lifespan="off"))
        routic = stack.enter_context(gateways.routic_serve(sandbox))
        ports = {"gateway": port, "routic": urlsplit(routic.url).port, "model": urlsplit(behind).port}
        text = _NGINX.format(
            user="user root;" if os.geteuid() == 0 else "",
            folder=tmp_path,
            recipe=f"{recipe('nginx', 1)}access_log {log} usage;",
            server=gateways.recipe("nginx", **ports),  # type: ignore[arg-type]  # each address has a port
        )
        (tmp_path / "nginx.conf").write_text(text)
        command = ["nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-e", str(tmp_path / "error.log")]
        stack.enter_context(gateways._running(command, tmp_path, port))
        for token in (key["value"], UNKNOWN):
            headers = {"Authorization": f"Bearer {token}"}
            httpx2.get(f"http://127.0.0.1:{port}/v1/models", headers=headers, trust_env=False)
        await_lines(log, 2)

    assert key["value"] not in log.read_text()
    elsewhere = Sandbox(tmp_path / "elsewhere")
    shutil.copytree(sandbox.key_store.parent, elsewhere.key_store.parent)
    elsewhere.key_store.with_name("usage.db").unlink()
    elsewhere.ok("usage", "import", log)
    assert {(each.key_id, each.version, each.status) for each in events(elsewhere)} == {
        (key["id"], 1, 200),
        (None, None, 401),
    }
