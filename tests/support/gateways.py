"""Real gateways before the real server: the recipes of docs/gateways.md, with the ports of one test."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.sandbox import DEADLINE, Sandbox

PAGE: Final = Path(__file__).parents[2] / "docs/gateways.md"
_SERVING: Final = re.compile(r"at (https?://[^\s\"]+)")

_NGINX: Final = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{recipe}
}}
"""


def recipe(language: str, *, gateway: int, routic: int, model: int) -> str:
    """The block of the page, with the ports it stands for."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"docs/gateways.md has no {language}"
    text = found[1]
    for written, real in ((":8080", gateway), (":8787", routic), (":9000", model)):
        assert written in text
        text = text.replace(written, f":{real}")
    return text


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Serving:
    """An installed `routic serve` that runs."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def routic_serve(sandbox: Sandbox, *flags: object) -> Iterator[Serving]:
    """An installed `routic serve` on a free port; it has to end well when it is told to."""
    log = (sandbox.root / f"serve-{time.monotonic_ns()}.log").open("w+b")
    process = sandbox.start("serve", "--port", 0, *flags, stdout=log, stderr=log)
    try:
        yield Serving(_address(process, Path(log.name)), process, Path(log.name))
    finally:
        log.close()
        process.terminate()
        # Unless the test has killed it.
        assert process.wait(DEADLINE) in {0, -signal.SIGKILL}, Path(log.name).read_text()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if found := _SERVING.search(log.read_text()):
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(f"it does not serve: {log.read_text()}")


@contextmanager
def nginx(folder: Path, *, routic: int, model: int) -> Iterator[str]:
    """An nginx with the page's recipe."""
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    text = _NGINX.format(user=user, folder=folder, recipe=recipe("nginx", gateway=port, routic=routic, model=model))
    (folder / "nginx.conf").write_text(text)
    with _running(["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log")], folder, port):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def caddy(folder: Path, *, routic: int, model: int) -> Iterator[str]:
    """A Caddy with the page's recipe."""
    port = free_port()
    options = "{\n\tadmin off\n\tauto_https off\n}\n"
    (folder / "Caddyfile").write_text(options + recipe("caddyfile", gateway=port, routic=routic, model=model))
    with _running(["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"], folder, port):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "gateway.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            _await_port(process, port, folder / "gateway.log")
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE)


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens: {log.read_text()}")
