"""Reads what is in a KV bucket, and says truly when that was all of it.

It decides when a reading is complete. The watcher of nats-py says so too early at times: it takes a bucket for empty
when nothing is pending and it has received nothing, but the server counts an entry as delivered before it sends it,
and its answer may overtake the entries. It must not know what entries mean.
"""

import asyncio
import logging
from typing import Any

import nats.errors
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue

from oneapi.bus.subjects import EVERYTHING

logger = logging.getLogger(__name__)

_IDLE_S = 0.5
_SILENCES = 10
_STOP_S = 1.0
_FORGET_S = 30.0
"""The server keeps a watch so long after its reader has gone."""


class BucketReader:
    """A watch of a bucket: what is in it, then what changes. Whoever opens it stops it."""

    def __init__(self, watcher: Any, *, empty: bool) -> None:
        self._watcher = watcher
        self._complete = False
        self._complete_is_due = empty
        self._nothing_pending = False

    @classmethod
    async def open(cls, bucket: KeyValue, keys: str = EVERYTHING, *, values: bool = True) -> "BucketReader":
        """Begins a watch of these keys; without `values` only their names come. Raises nats.errors.Error."""
        watcher: Any = await bucket.watch(keys, meta_only=not values, inactive_threshold=_FORGET_S)
        try:
            begun = await watcher._sub.consumer_info()
        except BaseException:
            await _stop(watcher)
            raise
        sent = begun.delivered.consumer_seq if begun.delivered is not None else 0
        return cls(watcher, empty=not begun.num_pending and not sent)

    async def next(self, idle_s: float) -> KeyValue.Entry | None:
        """The next entry, a deletion too; None, once, when everything that was there has come.

        Raises TimeoutError when nothing comes for `idle_s` seconds; ask again then, also for the end.
        """
        while self._complete or not self._complete_is_due:
            try:
                entry: KeyValue.Entry | None = await self._watcher.updates(timeout=idle_s)
            except TimeoutError:
                if self._complete or not await self._all_came():
                    raise
                break
            if entry is not None:
                # How many more were to come when the server sent it.
                self._complete_is_due = not entry.delta
                self._nothing_pending = False
                return entry
        self._complete = True
        return None

    async def _all_came(self) -> bool:
        """Whether the server had nothing left to send at the last silence, and nothing has come since.

        The last entry may say that others follow, which are replaced or gone when their turn comes.
        """
        before = self._nothing_pending
        self._nothing_pending = not (await self._watcher._sub.consumer_info()).num_pending
        # What was sent before the answer has been put there by now.
        return before and self._nothing_pending and self._watcher._updates.empty()

    async def check(self) -> None:
        """Raises nats.errors.Error when the server doesn't know the watch any more."""
        await self._watcher._sub.consumer_info()

    async def stop(self) -> None:
        """Ends the watch, within a second, whatever the connection is like."""
        await _stop(self._watcher)


async def contents(bucket: KeyValue, keys: str = EVERYTHING, *, values: bool = True) -> list[KeyValue.Entry]:
    """The entry of every key there; a key that was deleted has none.

    Raises nats.errors.Error, and TimeoutError when nothing comes for 5 s before all is there.
    """
    reader = await BucketReader.open(bucket, keys, values=values)
    found: dict[str, KeyValue.Entry] = {}
    silences = 0
    try:
        while True:
            try:
                entry = await reader.next(_IDLE_S)
            except TimeoutError:
                silences += 1
                if silences == _SILENCES:
                    raise
                continue
            if entry is None:
                break
            silences = 0
            found[entry.key] = entry
    finally:
        await reader.stop()
    return [entry for entry in found.values() if entry.operation not in {KV_DEL, KV_PURGE}]


async def _stop(watcher: Any) -> None:
    try:
        async with asyncio.timeout(_STOP_S):
            await watcher.stop()
    except (OSError, TimeoutError, nats.errors.Error) as failure:
        logger.debug("ending a watch: %r", failure)
