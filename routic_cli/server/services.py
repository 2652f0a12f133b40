"""Stores that stay open between requests, and are used by one request at a time."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from routic_cli.domain.errors import RouticError, StoreDamagedError, UnavailableError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.server.server_log import LOGGER
from routic_cli.service.keys import KeyService
from routic_cli.store.interface import Store


class Services:
    """KeyServices for the requests of many threads. `open_store` opens the store for an account."""

    def __init__(self, open_store: Callable[[str], Store], clock: Callable[[], UnixSeconds]) -> None:
        self._open_store = open_store
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: defaultdict[str, list[Store]] = defaultdict(list)

    @contextmanager
    def store(self, account: str) -> Iterator[Store]:
        """A store that nobody else uses meanwhile. One that failed in a way of its own is not used again."""
        with self._lock:
            idle = self._idle[account]
            store = idle.pop() if idle else None
        store = store or self._open_store(account)
        sound = False
        try:
            yield store
            sound = True
        except RouticError as error:
            sound = not isinstance(error, UnavailableError | StoreDamagedError)
            raise
        finally:
            if sound:
                with self._lock:
                    self._idle[account].append(store)
            else:
                store.close()

    @contextmanager
    def service(self, account: str, actor: str) -> Iterator[KeyService]:
        """The rules of keys over such a store; `actor` is who the audit trail names."""
        with self.store(account) as store:
            yield KeyService(store, clock=self._clock, actor=actor, trouble=_log_trouble, owns_log=False)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            for stores in self._idle.values():
                while stores:
                    stores.pop().close()


def _log_trouble(error: RouticError) -> None:
    """The keys are shown without their last use; who asked cannot be told why, who runs the server can."""
    logging.getLogger(LOGGER).warning("Last uses are not known: %s", ". ".join(error.sentences()))
