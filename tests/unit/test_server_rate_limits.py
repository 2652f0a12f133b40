"""Limits hold: in one process, in Redis for several, and when Redis is away nobody is kept out."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from routic_cli.domain.errors import InvalidRequestError
from routic_cli.server.rate_limits import MEMORY, MemoryLimiter, Quota, RateLimiter, limiter_of
from tests.support.keys import key_id

KEY, OTHER = key_id(1), key_id(2)


class Skipped:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server")
    running: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        socket = tmp_path / "redis.sock"
        command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running.append(process)
        while not socket.exists():
            assert process.poll() is None
            time.sleep(0.02)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


async def _close(*limiters: RateLimiter) -> None:
    for limiter in limiters:
        await asyncio.to_thread(limiter.close)


@pytest.mark.parametrize("rpm", [1, 3, 1000])
def test_exactly_so_many_requests_pass(rpm: int) -> None:
    async def taken() -> list[Quota | None]:
        limiter = limiter_of(MEMORY, Skipped())
        return [await limiter.take(KEY, rpm) for _ in range(rpm + 2)] + [await limiter.take(OTHER, rpm)]

    *quotas, before_last, last, other = asyncio.run(taken())
    assert all(quota is not None and quota.passed for quota in quotas)
    for refused in (before_last, last):
        assert refused is not None
        assert not refused.passed
        assert 0 < refused.wait <= 60
    assert other is not None
    assert (other.passed, other.limit, other.remaining) == (True, rpm, rpm - 1)


def test_a_large_limit_is_counted_in_two_numbers_and_may_be_wrong_by_one() -> None:
    async def passed() -> int:
        limiter = limiter_of(MEMORY, Skipped())
        quotas = [await limiter.take(KEY, 1500) for _ in range(1510)]
        assert isinstance(limiter, MemoryLimiter)
        assert not limiter.storage.events, "no time of a request is kept"
        return sum(quota is not None and quota.passed for quota in quotas)

    assert asyncio.run(passed()) in {1500, 1501}


def test_two_servers_share_a_limit_in_redis(redis: Callable[[], object], tmp_path: Path) -> None:
    redis()
    url = f"redis+unix://{tmp_path}/redis.sock"

    async def taken(rpm: int) -> list[bool]:
        limiters = [limiter_of(url, skipped), limiter_of(url, skipped)]
        quotas = [await limiters[n % 2].take(KEY, rpm) for n in range(6)]
        await _close(*limiters)
        return [quota.passed for quota in quotas if quota is not None]

    skipped = Skipped()
    assert asyncio.run(taken(4)) == [True] * 4 + [False] * 2
    assert asyncio.run(taken(5)) == [True] + [False] * 5, "a changed limit forgets nothing"
    assert skipped.count == 0


def test_when_redis_goes_away_requests_pass_and_are_counted_and_limits_hold_again_when_it_is_back(
    redis: Callable[[], subprocess.Popen[bytes]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"redis+unix://{tmp_path}/redis.sock"
    skipped = Skipped()

    async def life() -> None:
        process = redis()
        limiter = limiter_of(url, skipped)
        assert await limiter.take(KEY, 1) is not None
        process.kill()
        process.wait()
        (tmp_path / "redis.sock").unlink()
        for _ in range(20):
            assert await limiter.take(KEY, 1) is None
        redis()
        for _ in range(100):
            quota = await limiter.take(KEY, 1)
            if quota is not None:
                break
            await asyncio.sleep(0.1)
        assert quota is not None
        assert quota.passed
        await _close(limiter)

    with caplog.at_level(logging.WARNING, "routic.server"):
        asyncio.run(life())
    assert skipped.count >= 20
    messages = [record.getMessage() for record in caplog.records if record.name == "routic.server"]
    assert len(messages) == 2, "it is told when it happens, not for each request"
    assert "do not hold" in messages[0]
    assert "hold again" in messages[1]


def test_a_redis_that_hangs_holds_up_no_request_for_long(
    redis: Callable[[], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    import signal

    async def life() -> None:
        process = redis()
        limiter = limiter_of(f"redis+unix://{tmp_path}/redis.sock", skipped)
        assert await limiter.take(KEY, 100) is not None
        process.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(30):
            assert await asyncio.gather(*(limiter.take(KEY, 100) for _ in range(200))) == [None] * 200
        process.send_signal(signal.SIGCONT)
        await _close(limiter)

    skipped = Skipped()
    asyncio.run(life())
    assert skipped.count == 200


@pytest.mark.parametrize("url", ["", "memcached://localhost", "redis", "http://localhost"])
def test_what_is_no_place_for_limits_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError):
        limiter_of(url, Skipped())


def test_a_password_is_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    async def life() -> None:
        limiter = limiter_of("redis://:hunter2@127.0.0.1:1/0", Skipped())
        assert await limiter.take(KEY, 5) is None
        await _close(limiter)

    asyncio.run(life())
    with pytest.raises(InvalidRequestError) as caught:
        limiter_of("redis://:hunter2@127.0.0.1:notaport/0", Skipped())
    assert "hunter2" not in caplog.text + "".join(caught.value.sentences())
