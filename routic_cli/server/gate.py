"""Whose secret is this? Answered from memory for as long as the store has not changed, and never longer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from routic_cli.domain.admission import judge
from routic_cli.domain.errors import RouticError, StoreLockedError, UnavailableError
from routic_cli.domain.keys import UnixSeconds
from routic_cli.domain.secret import Fingerprint
from routic_cli.domain.usage import Outcome
from routic_cli.server.answer import header_lines
from routic_cli.server.replies import Headers, identity_headers
from routic_cli.store.interface import Holder
from routic_cli.store.lookup import KeyLookup

_MOST_KNOWN: Final = 10_000
_PATIENCE: Final = 2.0
_BETWEEN_FAILURES: Final = 0.5


class MustWaitError(Exception):
    """The answer needs the file to be opened, or another process to finish its commit: not in the event loop."""


class Known:
    """A version of a key of the store, and what a gateway is told of it, made once."""

    __slots__ = ("_judgement", "account", "headers", "key", "lines", "number", "rpm")

    def __init__(self, holder: Holder, now: UnixSeconds) -> None:
        self.key = holder.key
        self.number = holder.number
        self.account = holder.account
        self.rpm = holder.key.traits.rpm
        self.headers: Headers = identity_headers(holder.key, holder.number)
        self.lines = header_lines(self.headers)
        self._judgement = judge(holder.key, holder.number, now)

    def judged(self, now: UnixSeconds) -> Outcome:
        """Whether it may pass in this second; a judgement is used for as long as it holds."""
        outcome, since, until = self._judgement
        if since <= now < until:
            return outcome
        self._judgement = judge(self.key, self.number, now)
        return self._judgement.outcome


class Gate:
    """The keys of the store at `path`, for one event loop.

    Before each answer the store is asked whether anything has changed (store/lookup.py), so a revocation that any
    process has committed holds from the next request on. A file that is put in the store's place is opened. Unknown
    keys are not remembered: whoever guesses fills no memory. Where no store is yet, no key is known; where one was and
    is gone, or cannot be read, the answer is an error, never a pass.
    """

    def __init__(self, path: Path, *, patience: float = _PATIENCE, most_known: int = _MOST_KNOWN) -> None:
        self._path = path
        self._patience = patience
        self._most_known = most_known
        self._lookup: KeyLookup | None = None
        self._was_there = False
        self._stamp = b""
        self._moment: bytes | None = None
        self._known: dict[bytes, Known] = {}
        self._thread: ThreadPoolExecutor | None = None
        self._opening: asyncio.Task[RouticError | None] | None = None
        self._failure: tuple[RouticError, float] | None = None

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """In the block the store is asked once whether anything has changed. For requests that have come before it."""
        try:
            if self._lookup is not None:
                with suppress(OSError):  # whoever asks next finds out what is wrong
                    self._moment = self._lookup.stamp()
            yield
        finally:
            self._moment = None

    def find(self, digest: bytes, now: UnixSeconds) -> Known | None:
        """The key with a secret of this SHA-256; None when there is none. MustWaitError: `find_patiently` can tell."""
        lookup = self._lookup
        if lookup is None:
            if self._was_there or os.path.lexists(self._path):
                raise MustWaitError
            return None
        try:
            stamp = self._moment or lookup.stamp()
            if stamp is not None and stamp == self._stamp:
                known = self._known.get(digest)
                if known is not None:
                    return known
            if stamp is None:
                raise MustWaitError
            stamp, holder = lookup.holder(Fingerprint(digest.hex()), now)
        except (RouticError, OSError) as error:
            raise MustWaitError from error  # opening the file anew finds out what is wrong with it, or mends it
        if stamp != self._stamp or len(self._known) >= self._most_known:
            self._known = {}
            self._stamp = stamp
        if holder is None:
            return None
        self._known[digest] = found = Known(holder, now)
        return found

    async def find_patiently(self, digest: bytes, now: UnixSeconds) -> Known | None:
        """The same after waiting, in a thread, for the store; RouticError when it cannot be asked for too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        while True:
            await self._open(loop, deadline)
            try:
                return self.find(digest, now)
            except MustWaitError:
                if loop.time() >= deadline:
                    raise _too_long() from None

    async def _open(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        """Open the file that is in the place now: once, however many requests wait for it."""
        if self._failure is not None and loop.time() < self._failure[1]:
            raise self._failure[0]
        if self._opening is None:
            self._opening = loop.create_task(self._open_anew(loop))
        try:
            failure = await asyncio.wait_for(asyncio.shield(self._opening), max(0.0, deadline - loop.time()))
        except TimeoutError:
            raise _too_long() from None
        if failure is not None:
            raise failure

    async def _open_anew(self, loop: asyncio.AbstractEventLoop) -> RouticError | None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="routic-gate")
        failure: RouticError | None = None
        try:
            lookup = await loop.run_in_executor(self._thread, KeyLookup, self._path)
        except FileNotFoundError:
            failure = UnavailableError("The key store is gone") if self._was_there else None
        except OSError as error:
            failure = UnavailableError("The key store cannot be looked at", why=error.strerror or str(error))
        except RouticError as error:
            failure = error
        else:
            if self._lookup is not None:
                self._lookup.close()
            self._lookup, self._was_there = lookup, True
        finally:
            self._opening = None
        self._failure = (failure, loop.time() + _BETWEEN_FAILURES) if failure is not None else None
        return failure

    def close(self) -> None:
        """Let go of the file, after the last request."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None
        if self._lookup is not None:
            self._lookup.close()
            self._lookup = None


def _too_long() -> StoreLockedError:
    return StoreLockedError("The key store is locked", why="Another process has been busy with it for too long")
