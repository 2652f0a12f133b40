"""The real server on a real socket: in a thread of the test, with a clock and credentials of the test's own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from routic_cli.domain.errors import InvalidCredentialError
from routic_cli.domain.keys import KeyId, Scope
from routic_cli.domain.minting import mint_secret
from routic_cli.domain.scopes import Credential
from routic_cli.domain.secret import Secret
from routic_cli.server.credentials import bearer_token
from tests.support.keys import key_id


class Doorman:
    """Lets in whom the test has told it about; no key of the store stands for them, so that lists stay as they are."""

    def __init__(self) -> None:
        self._known: dict[str, Credential] = {}

    def admit(self, account: str, scopes: Sequence[Scope] = (Scope.ADMIN,), *, key: KeyId | None = None) -> Secret:
        """A token for an account."""
        token = mint_secret()
        self._known[token.reveal()] = Credential(key or key_id(999_999_999), "me", account, tuple(scopes))
        return token

    def credential(self, headers: Sequence[str]) -> Credential:
        try:
            return self._known[bearer_token(headers)]
        except KeyError:
            raise InvalidCredentialError("The credential is not known") from None


@contextmanager
def serving(app: Any, *, tls: tuple[Path, Path] | None = None, lifespan: str = "on", grace: int = 5) -> Iterator[str]:
    """The address of a uvicorn that serves the ASGI application meanwhile, on a free port of the loopback."""
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    options: dict[str, Any] = {"ssl_certfile": str(tls[0]), "ssl_keyfile": str(tls[1])} if tls else {}
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=grace,
        lifespan=lifespan,  # type: ignore[arg-type]  # one of its literals
        **options,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        host, port = listening.getsockname()
        yield f"{'https' if tls else 'http'}://{'localhost' if tls else host}:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        assert not thread.is_alive(), "the server did not end"
