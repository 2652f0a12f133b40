"""The application of one server process, put together from its settings."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from routic_cli.domain.keys import UnixSeconds
from routic_cli.output.log_lines import LogLines
from routic_cli.process import forbid_core_dumps
from routic_cli.server import server_log
from routic_cli.server.access_log import AccessLog
from routic_cli.server.app import Application, Parts
from routic_cli.server.auth import AuthEndpoint
from routic_cli.server.credentials import StoreAuthenticator
from routic_cli.server.forwarded import Forwarded
from routic_cli.server.gate import Gate
from routic_cli.server.metrics import Metrics
from routic_cli.server.rate_limits import MEMORY, limiter_of
from routic_cli.server.recorder import Recorder
from routic_cli.server.services import Services
from routic_cli.server.settings import Settings
from routic_cli.store.sqlite import SqliteStore

REDIS_URL: Final = "ROUTIC_REDIS_URL"


def check(settings: Settings) -> None:
    """InvalidRequestError or RouticError, before any worker starts, for what would end each of them."""
    Forwarded(settings.trusted)
    limiter_of(redis_url() or MEMORY, lambda: None)


def redis_url() -> str:
    """Where limits are counted for several processes; empty for the memory of each."""
    return os.environ.get(REDIS_URL, "")


def application() -> Application:
    """What uvicorn calls in each worker."""
    forbid_core_dumps()
    server_log.install()
    settings = Settings.from_environment()
    path = Path(settings.key_store)
    services = Services(lambda account: SqliteStore(path, account=account), _now)
    metrics, gate = Metrics(), Gate(path)
    limiter = limiter_of(redis_url() or MEMORY, metrics.limit_skipped)
    recorder, log = Recorder(Path(settings.usage_store)), AccessLog()
    metrics.watch("routic_usage_events", "usage events", recorder)
    metrics.total("routic_usage_writer_deaths", "Writing processes that had to be replaced", lambda: recorder.deaths)
    metrics.watch("routic_log_lines", "lines of the log", log)
    # No line of the log for each question of a gateway: the usage log has them all, and twice would cost a third more.
    auth = AuthEndpoint(gate, limiter, recorder, metrics, None, _now, settings.trusted)

    metrics.total("routic_usage_events_folded", "Requests without a key not written down", lambda: auth.folded)

    def opened() -> None:
        recorder.start()
        log.start()

    def closed() -> None:
        gate.close()
        limiter.close()
        if lost := recorder.close():
            LogLines().write([{"event": "usage_lost", "events": lost, "why": "The usage log took no more in time"}])
        log.close()

    return Application(
        Parts(
            services,
            StoreAuthenticator(services, _now),
            _now,
            auth=auth,
            metrics=metrics.render,
            log=log,
            opened=opened,
            closed=closed,
        )
    )


def _now() -> UnixSeconds:
    return int(time.time())
