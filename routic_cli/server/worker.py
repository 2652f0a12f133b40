"""The application of one server process, put together from its settings."""

from __future__ import annotations

import time
from pathlib import Path

from routic_cli.domain.keys import UnixSeconds
from routic_cli.process import forbid_core_dumps
from routic_cli.server.app import Application, Parts
from routic_cli.server.credentials import StoreAuthenticator
from routic_cli.server.services import Services
from routic_cli.server.settings import Settings
from routic_cli.store.sqlite import SqliteStore


def application() -> Application:
    """What uvicorn calls in each worker."""
    forbid_core_dumps()
    settings = Settings.from_environment()
    path = Path(settings.key_store)
    services = Services(lambda account: SqliteStore(path, account=account), _now)
    return Application(Parts(services, StoreAuthenticator(services, _now), _now))


def _now() -> UnixSeconds:
    return int(time.time())
