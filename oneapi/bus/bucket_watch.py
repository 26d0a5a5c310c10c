"""Follows a KV bucket, and survives that the connection, the watch or the bucket itself is lost.

It decides when a watch must begin anew: a watch that the server forgot is as silent as a bucket that nobody changes.
Every beginning tells all that is in the bucket again. It must not know what entries mean.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import nats.errors
from nats.js import JetStreamContext
from nats.js.kv import KeyValue

from oneapi.bus.bucket_reader import BucketReader
from oneapi.bus.subjects import bucket_stream
from oneapi.runtime.tasks import Backoff, heed_cancellation

logger = logging.getLogger(__name__)

Read = TypeVar("Read")

CHECK_EVERY_S = 15.0
"""How often the server is asked whether the watch still exists, seconds."""
RETRY = Backoff(0.05, 1.0)
_TICK_S = 0.2


class _WatchLost(Exception):
    """The watch may have missed something and must begin anew."""


class BucketWatch(Generic[Read]):
    """`read` makes something of each entry, None of one that is to be passed over. `loaded` gets what was in the bucket
    at each beginning, an entry that was replaced meanwhile before the newer one; `changed` gets what comes later.

    All run on the event loop and must return at once. A deletion by NATS's own marker is an entry with that operation.
    """

    def __init__(
        self,
        js: JetStreamContext,
        bucket: str,
        read: Callable[[KeyValue.Entry], Read | None],
        loaded: Callable[[list[Read]], None],
        changed: Callable[[Read], None],
        *,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        self._js = js
        self._bucket = bucket
        self._read = read
        self._loaded = loaded
        self._changed = changed
        self._check_every_s = check_every_s
        self._failures = 0

    async def run(self) -> None:
        """Watches until it is cancelled. Waits for the bucket for as long as it takes."""
        while True:
            heed_cancellation()
            try:
                store = await self._js.key_value(self._bucket)
                reconnects, made = self._reconnects(), await self._bucket_made()
                reader = await BucketReader.open(store)
                try:
                    await self._watch(reader, reconnects, made)
                finally:
                    await reader.stop()
            except (OSError, TimeoutError, nats.errors.Error, _WatchLost) as failure:
                self._failures += 1
                if self._failures in {2, 20} or self._failures % 200 == 0:
                    fields = {"bucket": self._bucket, "why": repr(failure)}
                    logger.warning("a bucket can't be watched", extra={"fields": fields})
                await asyncio.sleep(RETRY.delay(self._failures))

    async def _watch(self, reader: BucketReader, reconnects: int, made: object) -> None:
        loop = asyncio.get_running_loop()
        first: list[Read] | None = []
        checked = heard = loop.time()
        while True:
            heed_cancellation()
            if self._reconnects() != reconnects:
                raise _WatchLost("the connection was lost")
            try:
                update = await reader.next(_TICK_S)
            except TimeoutError:
                now = loop.time()
                if first is not None and now - heard > self._check_every_s:
                    raise _WatchLost("the beginning has no end") from None
                if now - checked > self._check_every_s:
                    checked = now
                    await self._check(reader, made)
                continue
            heard = loop.time()
            if update is None:
                self._loaded(first or [])
                first, self._failures = None, 0
                continue
            entry = self._read(update)
            if entry is None:
                continue
            if first is not None:
                first.append(entry)
            else:
                self._changed(entry)

    def _reconnects(self) -> int:
        return int(self._js._nc.stats["reconnects"])

    async def _bucket_made(self) -> object:
        return (await self._js.stream_info(bucket_stream(self._bucket))).created

    async def _check(self, reader: BucketReader, made: object) -> None:
        await reader.check()
        if await self._bucket_made() != made:
            raise _WatchLost("the bucket was made anew")
