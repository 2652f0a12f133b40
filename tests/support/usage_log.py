"""A usage log for the installed command: calls written through the service itself, beside a sandbox's store."""

from __future__ import annotations

import time
from collections.abc import Iterable

from routic_cli.domain.keys import DEFAULT_ACCOUNT
from routic_cli.domain.usage import UsageEvent
from routic_cli.service.usage import UsageService
from routic_cli.store.sqlite import SqliteStore
from tests.support.sandbox import Sandbox


def call(time_: int, **fields: object) -> UsageEvent:
    """A call that was let in, unless the fields say otherwise."""
    usual = UsageEvent(
        time=time_,
        outcome="allowed",
        method="POST",
        path="/v1/chat/completions",
        status=200,
        address="203.0.113.7",
        agent="OpenAI/Python 2.8.1",
        request_id="",
    )
    return usual._replace(**fields)  # type: ignore[arg-type]  # names of fields, which _replace checks


def write_log(sandbox: Sandbox, events: Iterable[UsageEvent]) -> None:
    """Add the calls to the log of the sandbox's store."""
    store = SqliteStore(sandbox.key_store, account=DEFAULT_ACCOUNT)
    try:
        UsageService(store, clock=lambda: int(time.time())).append(list(events))
    finally:
        store.close()
