"""The queue before the slow disk: all of it, in order, bounded, counted, whatever the writing does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from routic_cli.server.batcher import Batcher

A_WHILE = 30


class Taker:
    """A place to write to that can be full, held up, or picky. Says when it was tried."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.error: Exception | None = None
        self.hates: set[int] = set()
        self.open = threading.Event()
        self.open.set()
        self.tries = 0
        self.tried = threading.Condition()

    def write(self, items: Sequence[int]) -> None:
        with self.tried:
            self.tries += 1
            self.tried.notify_all()
        assert self.open.wait(A_WHILE)
        if self.error is not None:
            raise self.error
        if self.hates.intersection(items):
            raise ValueError("not this one")
        self.batches.append(list(items))

    def wait_for_tries(self, count: int) -> None:
        with self.tried:
            assert self.tried.wait_for(lambda: self.tries >= count, A_WHILE)

    @property
    def items(self) -> list[int]:
        return [item for batch in self.batches for item in batch]


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
def new(taker: Taker) -> Iterator[Callable[..., Batcher[int]]]:
    made: list[Batcher[int]] = []

    def make(**options: object) -> Batcher[int]:
        made.append(Batcher(taker.write, **{"interval": 0.001, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    taker.error = None
    taker.open.set()
    assert [batcher.close(A_WHILE) for batcher in made] == [0] * len(made)


def test_all_items_are_written_once_and_in_order(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    batcher = new(batch=7)
    batcher.start()

    for n in range(1000):
        assert batcher.put(n)

    assert batcher.close(A_WHILE) == 0
    assert taker.items == list(range(1000))
    assert max(map(len, taker.batches)) == 7
    assert (batcher.written, batcher.dropped, batcher.queued) == (1000, 0, 0)


def test_what_many_threads_give_is_all_there_each_in_its_own_order(
    taker: Taker, new: Callable[..., Batcher[int]]
) -> None:
    batcher = new()
    batcher.start()

    def give(first: int) -> None:
        for n in range(first, first + 1000):
            batcher.put(n)

    givers = [threading.Thread(target=give, args=(1000 * k,)) for k in range(8)]
    for giver in givers:
        giver.start()
    for giver in givers:
        giver.join()
    batcher.close(A_WHILE)

    assert sorted(taker.items) == list(range(8000))
    assert [[n for n in taker.items if n // 1000 == k] for k in range(8)] == [
        list(range(1000 * k, 1000 * k + 1000)) for k in range(8)
    ]


def test_a_full_queue_drops_the_newest_and_counts_them(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    batcher = new(capacity=10)

    taken = [batcher.put(n) for n in range(15)]

    assert taken == [True] * 10 + [False] * 5
    assert (batcher.queued, batcher.dropped, batcher.written) == (10, 5, 0)
    batcher.close(A_WHILE)
    assert taker.items == list(range(10))


def test_a_batch_in_hand_counts_for_the_capacity(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    taker.open.clear()
    batcher = new(capacity=10)
    for n in range(10):
        batcher.put(n)
    batcher.start()
    taker.wait_for_tries(1)

    assert not batcher.put(10)


def test_nothing_is_written_before_the_start(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    batcher = new()
    batcher.put(1)

    assert not batcher.is_running
    assert batcher.queued == 1


def test_a_failing_write_is_tried_again_until_it_succeeds_and_told_once(
    taker: Taker, new: Callable[..., Batcher[int]]
) -> None:
    told: list[Exception] = []
    taker.error = OSError("full")
    batcher = new(failed=told.append)
    batcher.start()
    batcher.put(1)
    taker.wait_for_tries(3)

    batcher.put(2)  # the queue goes on filling
    taker.error = None
    assert batcher.close(A_WHILE) == 0

    assert taker.items == [1, 2]
    assert [str(error) for error in told] == ["full"]


def test_a_second_outage_is_told_again(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    told: list[Exception] = []
    batcher = new(failed=told.append)
    batcher.start()

    for outage in (1, 2):
        taker.error = OSError(f"outage {outage}")
        batcher.put(outage)
        taker.wait_for_tries(taker.tries + 2)
        taker.error = None
        taker.wait_for_tries(taker.tries + 1)
        while batcher.queued:
            threading.Event().wait(0.001)

    assert [str(error) for error in told] == ["outage 1", "outage 2"]


def test_a_callback_that_raises_does_not_end_the_writing(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    def failed(_: Exception) -> None:
        raise OSError("standard error is gone too")

    taker.error = OSError("full")
    batcher = new(failed=failed)
    batcher.start()
    batcher.put(1)
    taker.wait_for_tries(2)
    taker.error = None

    assert batcher.close(A_WHILE) == 0
    assert taker.items == [1]


def test_only_an_item_that_can_never_be_written_is_given_up(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    told: list[Exception] = []
    taker.hates = {0, 333, 334, 999}
    batcher = new(batch=1000, failed=told.append)
    for n in range(1000):
        batcher.put(n)

    assert batcher.close(A_WHILE) == 0

    assert taker.items == [n for n in range(1000) if n not in taker.hates]
    assert (batcher.written, batcher.dropped) == (996, 4)
    assert told


def test_a_closed_batcher_takes_nothing_and_counts_it(new: Callable[..., Batcher[int]]) -> None:
    batcher = new()
    batcher.start()
    batcher.close(A_WHILE)

    assert not batcher.put(1)
    assert (batcher.dropped, batcher.queued) == (1, 0)


def test_close_ends_at_its_deadline_and_says_how_many_were_not_written(
    taker: Taker, new: Callable[..., Batcher[int]]
) -> None:
    taker.error = OSError("full")
    batcher = new()
    for n in range(5):
        batcher.put(n)

    assert batcher.close(0.2) == 5

    batcher._thread.join(A_WHILE)
    assert not batcher.is_running
    taker.error = None
    batcher._items.clear()  # so that the fixture finds nothing


def test_close_does_not_wait_for_a_write_that_hangs(taker: Taker, new: Callable[..., Batcher[int]]) -> None:
    taker.open.clear()
    batcher = new(batch=2)
    for n in range(5):
        batcher.put(n)

    assert batcher.close(0.2) == 5  # returns, though the write does not

    assert batcher.is_running
    taker.open.set()
    batcher._thread.join(A_WHILE)
    assert taker.items == [0, 1], "the time is up: what is in hand, and no more"
    batcher._items.clear()
