"""Following a bucket that the test plays."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from oneapi.bus.bucket_watch import BucketWatch


class Played:
    """JetStream, a bucket and its watcher at once. `None` in `updates` ends what was there at the beginning."""

    def __init__(self) -> None:
        self.updates_to_come: asyncio.Queue[Any] = asyncio.Queue()
        self.stats = {"reconnects": 0}
        self.made = 1
        self.beginnings = 0
        self.failures = 0
        self._nc = self
        self._sub = self

    async def key_value(self, _bucket: str) -> "Played":
        if self.failures:
            self.failures -= 1
            raise TimeoutError
        return self

    async def stream_info(self, _stream: str) -> Any:
        return SimpleNamespace(created=self.made)

    async def consumer_info(self) -> None:
        return None

    async def watchall(self) -> "Played":
        self.beginnings += 1
        return self

    async def updates(self, timeout: float) -> Any:
        del timeout
        if self.updates_to_come.empty():
            await asyncio.sleep(0)
            raise TimeoutError
        return self.updates_to_come.get_nowait()

    async def stop(self) -> None:
        return None

    def send(self, *updates: Any) -> None:
        for update in updates:
            self.updates_to_come.put_nowait(update)


class Bench:
    def __init__(self) -> None:
        self.bucket = Played()
        self.told: asyncio.Queue[Any] = asyncio.Queue()
        watch = BucketWatch[int](
            self.bucket,  # type: ignore[arg-type]
            "b",
            lambda update: update if isinstance(update, int) else None,
            self.told.put_nowait,
            self.told.put_nowait,
            check_every_s=0.0,
        )
        self.task = asyncio.create_task(watch.run())

    async def next(self) -> Any:
        async with asyncio.timeout(10):
            return await self.told.get()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)


async def test_what_was_there_comes_at_once_and_the_rest_as_it_comes(bench: Bench) -> None:
    bench.bucket.send(1, "passed over", 2, None, 3, "passed over", 4)
    assert [await bench.next() for _ in range(3)] == [[1, 2], 3, 4]


async def test_an_empty_bucket_is_loaded_too(bench: Bench) -> None:
    bench.bucket.send(None)
    assert await bench.next() == []


async def test_it_begins_anew_when_the_connection_or_the_bucket_was_lost(bench: Bench) -> None:
    bench.bucket.send(1, None)
    assert await bench.next() == [1]
    bench.bucket.stats["reconnects"] += 1
    bench.bucket.send(2, None)
    assert await bench.next() == [2]
    bench.bucket.made += 1
    bench.bucket.send(3, None)
    told = [await bench.next()]
    while told[-1] != [3]:
        told.append(await bench.next())
    assert bench.bucket.beginnings >= 2


async def test_it_waits_for_a_bucket_that_is_not_there_yet(bench: Bench) -> None:
    bench.bucket.failures = 2
    bench.bucket.send(1, None)
    assert await bench.next() == [1]
