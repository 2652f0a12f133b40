"""The family of a program stays when its version changes; a browser that a person sits at is told from programs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routic_cli.domain.clients import family_of, is_browser

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("OpenAI/Python 2.8.1", "OpenAI/Python"),
        ("OpenAI/JS 6.1.0", "OpenAI/JS"),
        ("AsyncOpenAI/Python 1.3.7", "AsyncOpenAI/Python"),
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32.3", "python-requests"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("Python/3.11 aiohttp/3.9.1", "Python"),
        ("Go-http-client/2.0", "Go-http-client"),
        ("okhttp/5.0.0-alpha.2", "okhttp"),
        ("Apache-HttpClient/4.5.14 (Java/17.0.1)", "Apache-HttpClient"),
        ("node", "node"),
        ("tool/v1.2", "tool"),
        ("Anthropic/Python 0.75.0", "Anthropic/Python"),
        ("Nobody/Knows 2.1", "Nobody/Knows"),
        ("billing-api/3f2a9bc", "billing-api"),
        ("billing-api/0d8f7c6b5a4e3d2c1b0a9f8e7d6c5b4a39281706", "billing-api"),
        ("billing-api/build-812", "billing-api"),
        ("billing-api/main", "billing-api"),
        ("billing-worker-2.6.0", "billing-worker"),
        ("billing-worker-v2.6.0-rc.1", "billing-worker"),
        ("billing_worker_26", "billing_worker"),
        ("billing-worker@2.6.0 (linux)", "billing-worker"),
        ("billing-worker@3f2a9bc", "billing-worker"),
        ("billing-worker-3f2a9bc/1.0", "billing-worker"),
        ("@shop/client@4.1.0", "@shop/client"),
        ("@shop/client/4.1.0", "@shop/client"),
        ("text-embedder/1", "text-embedder"),
        ("gpt4-facade", "gpt4-facade"),
        ("2.6.0", "2.6.0"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Code/1.96.0 Chrome/128.0.1 Electron/32.2.6 Safari/537.36", "Code"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/128.0.1 Electron/32.2.6 Safari/537.36", "Electron"),
        ("x" * 500, "x" * 64),
        (" ", "unnamed"),
        ("/1.0", "unnamed"),
    ],
)
def test_a_program_is_named_without_its_version(agent: str, family: str) -> None:
    assert family_of(agent) == family
    assert not is_browser(family)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36", "Chrome"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) AppleWebKit/605.1.15 Version/17.0 Mobile Safari/604.1", "Safari"),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko Trident/7.0", "another"),
    ],
)
def test_a_browser_is_one_whatever_its_version(agent: str, name: str) -> None:
    assert family_of(agent) == f"browser: {name}"
    assert is_browser(family_of(agent))


@pytest.mark.parametrize("agent", [None, ""])
def test_no_agent_has_no_family(agent: str | None) -> None:
    assert family_of(agent) is None
    assert not is_browser(None)


@given(st.text(max_size=600))
def test_whatever_a_caller_sends_has_a_short_family(agent: str) -> None:
    assert len(family_of(agent) or "") <= 64


@pytest.mark.parametrize("shape", ["{}/{}", "{}-{}", "{}@{}", "{}_{}", "{}/build-{}", "{}/v{}", "{}-v{}", "{} {}"])
@pytest.mark.parametrize("version", ["1.2", "2", "10.0.1", "2026.11.3"])
def test_however_a_version_is_written_it_is_none_of_the_name(shape: str, version: str) -> None:
    assert family_of(shape.format("billing", version)) == "billing"


@given(st.from_regex(r"[A-Za-z][A-Za-z-]{0,20}", fullmatch=True), st.integers(0, 99), st.integers(0, 99))
def test_a_deploy_changes_no_family(name: str, one: int, other: int) -> None:
    assert family_of(f"{name}/{one}.{other}") == family_of(f"{name}/{other}.{one}")
