"""`routic serve`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from routic_cli.command_line import session_of
from routic_cli.domain.errors import InvalidRequestError, RouticError, UnsafeDestinationError
from routic_cli.output.log_lines import LogLines
from routic_cli.session import Session
from routic_cli.store_url import LocalStore

EXAMPLES: Final = """
routic serve
routic serve --workers 2 --port 8443 --host 0.0.0.0 --tls-cert gateway.pem --tls-key gateway.key
"""

_NOT_STARTED: Final = "No server was started"


def run(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes any free one.")] = 8787,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, max=64, help="How many processes.")] = 1,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="Speak HTTPS with this.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="The certificate's key.")] = None,
    behind_tls: Annotated[
        bool,
        typer.Option("--behind-tls", help="Listen beyond this machine without TLS: a proxy in front of it has that."),
    ] = False,
    trusted: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="NETWORK", help="Believe X-Forwarded-* of these proxies; loopback always."),
    ] = None,
) -> None:
    """Serve the admin API, and the auth endpoint that a gateway asks, over the local store.

    /admin/v1 for `routic --store https://…`, /auth for nginx, Caddy, Traefik and Envoy, /openapi.json, /healthz,
    /readyz, /metrics. SIGTERM ends it when requests in flight have finished. The first credential is made here:
    routic keys create --name ops --scope admin
    """
    session = session_of(ctx)
    store = session.config.store_url
    if not isinstance(store, LocalStore):
        raise InvalidRequestError(
            "A server needs a store of its own",
            why=f"{session.config.store.source} names one behind another server",
            not_done=_NOT_STARTED,
            remedy="routic --store PATH serve",
            param="store",
        )
    if (tls_cert is None) != (tls_key is None):
        raise InvalidRequestError("--tls-cert and --tls-key go together", not_done=_NOT_STARTED)
    _require_installed()
    from routic_cli.paths import usage_log_beside
    from routic_cli.server import worker
    from routic_cli.server.run import Listening, bind, is_loopback, serve
    from routic_cli.server.settings import Settings

    if not is_loopback(host) and tls_cert is None and not behind_tls:
        raise UnsafeDestinationError(
            f"{host} is reached from beyond this machine, and keys would travel in plain text",
            why="There is no TLS",
            not_done=_NOT_STARTED,
            remedy=f"routic serve --host {host} --tls-cert FILE --tls-key FILE, or --behind-tls when a proxy has it",
        )
    session.transport.require_writable()  # a store that is damaged or not ours is told of here, not to each client
    settings = Settings(str(store.path), str(usage_log_beside(store.path)), tuple(trusted or ()))
    worker.check(settings)
    if workers > 1 and not worker.redis_url():
        text = f"Each of the {workers} workers counts the limits of keys for itself"
        more = f"{worker.REDIS_URL}=redis://… lets them count together"
        _say(session, "limits_apart", f"{text}: {more}", session.console.warn)
    listening = Listening(host, port, workers, tls_cert, tls_key)
    with bind(host, port) as bound:
        actual = bound.getsockname()[1]
        scheme = "https" if tls_cert else "http"
        shown = f"[{host}]" if ":" in host else host
        serve(settings, listening, bound, lambda: _tell(session, f"{scheme}://{shown}:{actual}", store))
    _say(session, "ended", "Ended", session.console.notice)


def _tell(session: Session, address: str, store: LocalStore) -> None:
    _say(session, "started", f"Serving {store.path} at {address}", session.console.success)
    if session.console.stderr_is_terminal:
        session.console.notice("Ctrl-C ends it, when requests in flight have finished")


def _say(session: Session, event: str, text: str, aloud: Callable[[str], None]) -> None:
    """To a person in words; into a log, where every line is an object, as one of them."""
    if session.console.stderr_is_terminal:
        aloud(text)
    else:
        LogLines().write([{"time": session.now(), "event": event, "message": text}])


def _require_installed() -> None:
    try:
        import starlette
        import uvicorn
    except ImportError as error:
        raise RouticError(
            "The server is not installed",
            why=f"The package '{error.name}' is missing",
            not_done=_NOT_STARTED,
            remedy="pip install 'routic[server]'",
        ) from error
    del starlette, uvicorn
