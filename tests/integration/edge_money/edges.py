"""A whole money path, and what it has put into the stream."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from nats.aio.client import Client

from oneapi.bus import streams, subjects
from oneapi.runtime.connections import connect_nats
from proto.events.v1.events_pb2 import SpoolSync, UsageBatch, UsageSettled
from services.edge.money.path import MoneyPath


async def until(condition: Callable[[], bool | Awaitable[bool]], limit_s: float = 10.0) -> None:
    """Waits for a condition, for `limit_s` seconds at most."""
    deadline = time.monotonic() + limit_s
    while True:
        met = condition()
        if met if isinstance(met, bool) else await met:
            return
        assert time.monotonic() < deadline, "the condition was not met in time"
        await asyncio.sleep(0.01)


class Stream:
    """What one edge has shipped, read from the stream itself."""

    def __init__(self, client: Client, edge_id: str) -> None:
        self._js = client.jetstream()
        self._edge_id = edge_id
        self._next = 1
        self.batches: list[UsageBatch] = []

    async def read(self) -> None:
        """Takes in what is new."""
        last = (await self._js.stream_info(subjects.STREAM_LEDGER)).state.last_seq
        while self._next <= last:
            message = await self._js.get_msg(subjects.STREAM_LEDGER, self._next)
            self._next += 1
            batch = UsageBatch.FromString(message.data or b"")
            if batch.edge_id == self._edge_id:
                self.batches.append(batch)

    @property
    def events(self) -> list[UsageSettled]:
        return [event for batch in self.batches for event in batch.events]

    @property
    def markers(self) -> list[SpoolSync]:
        return [marker for batch in self.batches for marker in batch.syncs]

    async def event(self, request_id: str) -> UsageSettled:
        """The one terminal event of a request, once it is there."""

        async def there() -> bool:
            await self.read()
            return any(event.request_id == request_id for event in self.events)

        await until(there)
        (event,) = [event for event in self.events if event.request_id == request_id]
        return event


@contextlib.asynccontextmanager
async def edge(nats_url: str, redis_url: str, folder: Path, edge_id: str) -> AsyncIterator[tuple[MoneyPath, Stream]]:
    """A started money path that admits, with a reader of the stream. It ends without draining."""
    client = await connect_nats(nats_url, edge_id)
    await streams.ensure(client.jetstream())
    path = MoneyPath(spool_dir=folder, redis_url=redis_url, nats=client, edge_id=edge_id)
    await path.start()
    await until(lambda: path.accepting == "")
    try:
        yield path, Stream(client, edge_id)
    finally:
        await path.stop()
        await client.close()
