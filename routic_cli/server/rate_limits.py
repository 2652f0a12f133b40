"""Requests per minute of a key, counted in this process or, for several servers, in Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from limits import RateLimitItemPerMinute, WindowStats
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from routic_cli.domain.errors import InvalidRequestError, RouticError
from routic_cli.domain.keys import KeyId

if TYPE_CHECKING:
    from limits.aio import strategies as aio_strategies
    from limits.aio.storage import RedisStorage
    from redis.asyncio import Redis

_LOG: Final = logging.getLogger("routic.server")

MEMORY: Final = "memory://"
_REDIS: Final = ("redis://", "rediss://", "redis+unix://")

# A moving window is exact, and remembers each request of the last minute; a sliding counter remembers two numbers, and
# may be wrong by one. One in a thousand does not matter, one in three does.
_EXACT_UP_TO: Final = 1000
_SWEEP_SECONDS: Final = 60.0
_REDIS_PATIENCE: Final = 0.25
_REDIS_AT_ONCE: Final = 64
_REDIS_REST: Final = 1.0


class Quota(NamedTuple):
    """What came of a request for a key with a limit. `wait` is how many seconds until the next place is free."""

    passed: bool
    limit: int
    remaining: int
    wait: float


class RateLimiter(Protocol):
    """Counts the requests of keys that have a limit. One that never waits answers in the first step of `take`."""

    waits: bool

    async def take(self, key_id: KeyId, rpm: int) -> Quota | None:
        """Take a place in this minute. None when nobody can tell how many are taken: then the request passes."""

    def close(self) -> None:
        """Let go of connections. Not from the event loop that they belong to."""


def limiter_of(url: str, skipped: Callable[[], None]) -> RateLimiter:
    """The limiter for a URL: `memory://`, `redis://…`, `rediss://…` or `redis+unix:///path`.

    `skipped` is called for each request that passes because Redis is away.
    """
    if url == MEMORY:
        return MemoryLimiter()
    if url.startswith(_REDIS):
        return RedisLimiter(url, skipped)
    raise InvalidRequestError(
        "This is no place for rate limits",
        why=f"It is {MEMORY}, or begins with {', '.join(_REDIS[:-1])} or {_REDIS[-1]}",
        not_done="No server was started",
    )


class _PerMinute(RateLimitItemPerMinute):
    """Counted by key alone. The library's own item counts anew when the limit changes."""

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return f"routic/{'/'.join(map(str, identifiers))}"


class _SweptMemory(MemoryStorage):
    """The library's storage looks through all its keys after each request, in a thread; once a minute is enough."""

    def __init__(self) -> None:
        self._next_sweep = time.monotonic() + _SWEEP_SECONDS
        super().__init__()

    def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802  # private to the library, which calls it
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_SECONDS
            self._MemoryStorage__expire_events()  # type: ignore[attr-defined]  # as above


class MemoryLimiter:
    """Counts in this process: with several workers, each lets the whole limit through."""

    waits = False

    def __init__(self) -> None:
        self.storage = _SweptMemory()
        self._exact = MovingWindowRateLimiter(self.storage)
        self._rough = SlidingWindowCounterRateLimiter(self.storage)

    async def take(self, key_id: KeyId, rpm: int) -> Quota | None:
        """Take a place in this minute."""
        item = _PerMinute(rpm)
        strategy = self._exact if rpm <= _EXACT_UP_TO else self._rough
        passed = strategy.hit(item, key_id)
        return _quota(rpm, strategy.get_window_stats(item, key_id), passed=passed)

    def close(self) -> None:
        """Nothing to let go of."""


class RedisLimiter:
    """Counts in Redis, for all servers that share it. Where Redis is away, requests pass, and the metric says so.

    A limit protects from too much; a gateway that stops because its counter is away would be worse than too much.
    """

    waits = True

    def __init__(self, url: str, skipped: Callable[[], None]) -> None:
        self._url = url
        self._skipped = skipped
        self._loop: asyncio.AbstractEventLoop | None = None
        self._away_until = 0.0
        self._away = False
        self._at_once = asyncio.Semaphore(_REDIS_AT_ONCE)
        self._storage = _redis_storage(url)
        from limits.aio import strategies
        from redis.exceptions import RedisError

        self._errors = (TimeoutError, OSError, RedisError)
        self._exact: aio_strategies.RateLimiter = strategies.MovingWindowRateLimiter(self._storage)
        self._rough: aio_strategies.RateLimiter = strategies.SlidingWindowCounterRateLimiter(self._storage)

    async def take(self, key_id: KeyId, rpm: int) -> Quota | None:
        """Take a place in this minute; None while Redis is away."""
        self._loop = asyncio.get_running_loop()
        if self._loop.time() < self._away_until:
            self._skipped()
            return None
        item = _PerMinute(rpm)
        strategy = self._exact if rpm <= _EXACT_UP_TO else self._rough
        try:
            async with asyncio.timeout(_REDIS_PATIENCE), self._at_once:
                passed = await strategy.hit(item, key_id)
                stats = await strategy.get_window_stats(item, key_id)
        except self._errors as error:
            self._note_away(error)
            return None
        if self._away:
            self._away = False
            _LOG.warning("Rate limits hold again: Redis answers")
        return _quota(rpm, stats, passed=passed)

    def _note_away(self, error: BaseException) -> None:
        """Ask no more for a second, and say so once, not for each request."""
        self._skipped()
        self._away_until = asyncio.get_running_loop().time() + _REDIS_REST
        if not self._away:
            self._away = True
            # Of which type, and no more: the text may hold the URL with its password.
            _LOG.warning("Rate limits do not hold: Redis is away (%s). Requests pass unlimited", type(error).__name__)

    def close(self) -> None:
        """Close the connections, in the loop that they belong to. Call it from another thread."""
        if self._loop is not None and self._loop.is_running():
            client: Redis = self._storage.bridge.get_connection()  # type: ignore[attr-defined]  # of its redispy bridge
            asyncio.run_coroutine_threadsafe(client.aclose(), self._loop).result(_REDIS_REST)
            self._loop = None


def _redis_storage(url: str) -> RedisStorage:
    from limits.aio.storage import RedisStorage
    from limits.errors import ConfigurationError

    try:
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise RouticError(
            "Rate limits cannot be kept in Redis",
            why="The package 'redis' is missing",
            not_done="No server was started",
            remedy="pip install 'routic[redis]'",
        ) from error
    # One retry: a connection that Redis has closed meanwhile looks alive until it is used.
    options: dict[str, Any] = {"retry": Retry(NoBackoff(), 1)}
    try:
        return RedisStorage(f"async+{url}", implementation="redispy", **options)
    except (ValueError, ConfigurationError):
        # Without their text: it may hold the URL with its password.
        raise InvalidRequestError("The URL of Redis cannot be read", not_done="No server was started") from None


def _quota(rpm: int, stats: WindowStats, *, passed: bool) -> Quota:
    return Quota(passed, rpm, max(0, stats.remaining), max(0.0, stats.reset_time - time.time()))
