"""The auth endpoint over a store of the test's own, asked without a socket, by a clock that the test holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from routic_cli.domain.keys import KeyTraits, NewKey, NewVersion, Scope
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.usage import UsageEvent
from routic_cli.server.auth import AuthEndpoint
from routic_cli.server.gate import Gate
from routic_cli.server.metrics import Metrics
from routic_cli.server.rate_limits import MEMORY, limiter_of
from routic_cli.server.recorder import Recorder
from routic_cli.service.keys import KeyService
from routic_cli.store.sqlite import SqliteStore
from routic_cli.store.usage import UsageStore
from tests.support.keys import NOW, key_id
from tests.support.usage_events import all_events


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; a header that comes twice fails the test."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> Mapping[str, Any]:
        error: Mapping[str, Any] = json.loads(self.body)["error"]
        return error

    @property
    def code(self) -> str:
        return str(self.error["code"])

    @property
    def text(self) -> str:
        """All of it, to look for what must not be there."""
        return f"{dict(self.headers)}{self.body.decode()}"


@dataclass(slots=True)
class Endpoint:
    """An AuthEndpoint and its parts. `now` is the time; `service` changes the store as another process would."""

    folder: Path
    runner: asyncio.Runner
    trusted: Sequence[str] = ()
    patience: float = 0.3
    now: int = NOW
    made: int = 0
    gate: Gate = field(init=False)
    app: AuthEndpoint = field(init=False)
    metrics: Metrics = field(init=False)
    _recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        self.gate = Gate(self.store, patience=self.patience)
        self._recorder = Recorder(self.folder / "usage.db")
        self._recorder.start()
        limiter = limiter_of(MEMORY, self.metrics.limit_skipped)
        clock = lambda: self.now  # noqa: E731
        self.app = AuthEndpoint(self.gate, limiter, self._recorder, self.metrics, None, clock, self.trusted)

    @property
    def store(self) -> Path:
        return self.folder / "keys.db"

    @contextmanager
    def service(self) -> Iterator[KeyService]:
        """The store's own rules, on a connection of their own."""
        service = KeyService(SqliteStore(self.store, account="default"), clock=lambda: self.now, actor="test")
        try:
            yield service
        finally:
            service.close()

    def create(self, name: str | None = None, **traits: Any) -> str:
        """The text of a new key."""
        self.made += 1
        secret = mint_secret()
        version = NewVersion(1, secret.fingerprint, secret.hint, self.now)
        with self.service() as service:
            traits = {"scopes": (Scope.API,), **traits}
            service.register(NewKey(key_id(self.made), KeyTraits(name or f"key-{self.made}", **traits), version))
        return secret.reveal()

    def revoke(self, name: str) -> None:
        with self.service() as service:
            service.revoke([service.find(name).id], None)

    def ask(
        self,
        key: str | bytes | None = None,
        *more: tuple[str, str | bytes],
        method: str = "GET",
        query: str = "",
        client: str | None = "127.0.0.1",
        path: str = "/auth",
    ) -> Reply:
        """What is answered to a Bearer token, or to the headers given instead."""
        token = key.encode() if isinstance(key, str) else key
        headers = [] if token is None else [(b"authorization", b"Bearer " + token)]
        headers += [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in more]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "client": (client, 50000) if client else None,
            "headers": headers,
        }
        return self.runner.run(self._asked(scope))

    async def _asked(self, scope: dict[str, Any]) -> Reply:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, None, send)
        start, body = sent
        headers = {name.decode(): value.decode("ascii") for name, value in start["headers"]}
        assert len(headers) == len(start["headers"])
        assert int(headers["content-length"]) == len(body["body"])
        return Reply(start["status"], headers, body["body"])

    def events(self) -> list[UsageEvent]:
        """All that was recorded. Nothing is after this."""
        assert self._recorder.close() == 0
        store = UsageStore(self.folder / "usage.db")
        try:
            return all_events(store)
        finally:
            store.close()

    def close(self) -> None:
        self.gate.close()
        self._recorder.close()


@contextmanager
def endpoint_in(folder: Path, **options: Any) -> Iterator[Endpoint]:
    """An endpoint over the store in a folder, which has none yet."""
    with asyncio.Runner() as runner:
        endpoint = Endpoint(folder, runner, **options)
        try:
            yield endpoint
        finally:
            endpoint.close()
