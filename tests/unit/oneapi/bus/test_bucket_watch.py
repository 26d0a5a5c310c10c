"""Following a bucket that the test plays."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from oneapi.bus.bucket_watch import BucketWatch
from tests.unit.oneapi.bus.played_bucket import PlayedBucket, entry


class Bench:
    def __init__(self) -> None:
        self.bucket = PlayedBucket()
        self.told: asyncio.Queue[Any] = asyncio.Queue()
        self.watch = BucketWatch[int](
            self.bucket,  # type: ignore[arg-type]
            "b",
            lambda update: update.value if isinstance(update.value, int) else None,
            self.told.put_nowait,
            self.told.put_nowait,
            check_every_s=0.0,
        )
        self.task: asyncio.Task[None] | None = None

    async def next(self) -> Any:
        """What is told next; the watch begins when it is first asked for."""
        if self.task is None:
            self.task = asyncio.create_task(self.watch.run())
        async with asyncio.timeout(10):
            return await self.told.get()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    if made.task is not None:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


async def test_what_was_there_comes_at_once_and_the_rest_as_it_comes(bench: Bench) -> None:
    bench.bucket.holds(1, "passed over", 2)
    bench.bucket.send(*map(entry, (3, "passed over", 4)))
    assert [await bench.next() for _ in range(3)] == [[1, 2], 3, 4]


async def test_an_empty_bucket_is_loaded_too(bench: Bench) -> None:
    assert await bench.next() == []


async def test_it_begins_anew_when_the_connection_or_the_bucket_was_lost(bench: Bench) -> None:
    bench.bucket.holds(1)
    assert await bench.next() == [1]
    bench.bucket.holds(2)
    bench.bucket.stats["reconnects"] += 1
    assert await bench.next() == [2]
    bench.bucket.holds(3)
    bench.bucket.made += 1
    told = [await bench.next()]
    while told[-1] != [3]:
        told.append(await bench.next())
    assert bench.bucket.begun.qsize() >= 2


async def test_it_begins_anew_when_the_beginning_never_ends(bench: Bench) -> None:
    bench.bucket.pending = 2
    bench.bucket.send(entry(1, delta=1))
    told = asyncio.create_task(bench.next())
    async with asyncio.timeout(10):
        for _ in range(3):
            await bench.bucket.begun.get()
    assert not told.done()
    bench.bucket.holds(1, 2)
    assert await told == [1, 2]


async def test_it_waits_for_a_bucket_that_is_not_there_yet(bench: Bench) -> None:
    bench.bucket.failures = 2
    bench.bucket.holds(1)
    assert await bench.next() == [1]
