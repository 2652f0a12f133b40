"""The real `openai` client, through a real nginx and a real Caddy, with the recipes of docs/gateways.md."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import openai
import pytest

from tests.support import gateways
from tests.support.sandbox import Sandbox
from tests.support.server import serving

WORDS: Final = 6


class Model:
    """What stands behind the gateway: answers, or streams words as slowly as the test lets it."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.go_on = threading.Event()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        streams = content and json.loads(content).get("stream")
        kind = b"text/event-stream" if streams else b"application/json"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        if not streams:
            await send({"type": "http.response.body", "body": json.dumps(_completion("hello")).encode()})
            return
        for number in range(WORDS):
            if number == 1:
                while not self.go_on.is_set():  # noqa: ASYNC110  # another thread sets it, which asyncio's own cannot bear
                    await asyncio.sleep(0.02)
            chunk = {**_completion(""), "object": "chat.completion.chunk"}
            chunk["choices"] = [{"index": 0, "delta": {"content": f"word{number} "}, "finish_reason": None}]
            body = f"data: {json.dumps(chunk)}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


def _completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway before `routic serve`, over the store of `sandbox`."""

    url: str
    sandbox: Sandbox
    model: Model

    def client(self, key: str) -> openai.OpenAI:
        return openai.OpenAI(api_key=key, base_url=self.url, max_retries=0)

    def ask(self, key: str) -> str | None:
        with self.client(key) as client:
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        return answer.choices[0].message.content

    def create(self, name: str, *flags: object) -> str:
        return self.sandbox.ok("keys", "create", "--name", name, *flags).secret


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param}")
    folder: Path = tmp_path_factory.mktemp(request.param)
    sandbox, model = Sandbox(folder / "machine"), Model()
    start: Callable[..., Any] = getattr(gateways, request.param)
    with ExitStack() as stack:
        behind = stack.enter_context(serving(model, lifespan="off"))
        routic = stack.enter_context(gateways.routic_serve(sandbox))
        ports = {"routic": urlsplit(routic.url).port, "model": urlsplit(behind).port}
        yield Gateway(stack.enter_context(start(folder, **ports)), sandbox, model)


def test_a_key_is_let_in_and_the_model_does_not_see_it(gateway: Gateway) -> None:
    key = gateway.create("good")

    assert gateway.ask(key) == "hello"
    seen = gateway.model.seen[-1]
    assert key not in json.dumps(seen)
    assert seen["x-routic-key-id"].startswith("key_")


@pytest.mark.parametrize(
    ("wrong", "code"), [("sk-nonsense", "invalid_api_key"), ("", "invalid_api_key"), ("x" * 3000, "invalid_api_key")]
)
def test_the_client_raises_an_authentication_error_with_its_code(gateway: Gateway, wrong: str, code: str) -> None:
    key = wrong or gateway.create("cut")[:-1]

    with pytest.raises(openai.AuthenticationError) as caught:
        gateway.ask(key)
    assert caught.value.code == code
    assert caught.value.response.headers["www-authenticate"].startswith("Bearer")
    assert key not in str(caught.value)


def test_without_a_key_it_says_that_it_is_missing(gateway: Gateway) -> None:
    import httpx2

    reply = httpx2.post(f"{gateway.url}/chat/completions", json={}, trust_env=False)

    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "missing_api_key")


def test_a_key_in_the_url_is_refused(gateway: Gateway) -> None:
    import httpx2

    key = gateway.create("in-url")
    reply = httpx2.get(f"{gateway.url}/models?api_key={key}", trust_env=False)

    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "invalid_api_key")
    assert key not in reply.text


def test_a_revocation_counts_from_the_next_request_on_and_a_stream_in_flight_completes(gateway: Gateway) -> None:
    key = gateway.create("streaming")
    gateway.model.go_on.clear()
    with gateway.client(key) as client:
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
        chunks = iter(stream)
        words = [next(chunks).choices[0].delta.content]
        gateway.sandbox.ok("keys", "revoke", "streaming", "--yes")
        with pytest.raises(openai.AuthenticationError) as caught:
            gateway.ask(key)
        gateway.model.go_on.set()
        words += [chunk.choices[0].delta.content for chunk in chunks]

    assert caught.value.code == "expired_api_key"
    assert words == [f"word{n} " for n in range(WORDS)]


def test_a_key_without_the_scope_is_forbidden(gateway: Gateway) -> None:
    key = gateway.create("reader", "--scope", "keys:read")

    with pytest.raises(openai.PermissionDeniedError) as caught:
        gateway.ask(key)
    assert caught.value.code == "insufficient_permissions"


def test_a_key_over_its_limit_is_told_when_to_come_again(gateway: Gateway) -> None:
    key = gateway.create("slow", "--rpm", 2)

    assert [gateway.ask(key), gateway.ask(key)] == ["hello", "hello"]
    with pytest.raises(openai.RateLimitError) as caught:
        gateway.ask(key)
    assert caught.value.code == "rate_limit_exceeded"
    assert int(caught.value.response.headers["retry-after"]) > 0
