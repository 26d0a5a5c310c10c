"""Keeps a view of the `catalog` bucket up to date in this process.

It decides when the view is complete and how it survives a lost connection, and must not know what the view is used
for. An entry disappears by a deletion only, never because the bucket lacks it: a bucket that was lost is filled again
while services go on with what they hold.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue

from oneapi.bus.subjects import BUCKET_CATALOG, bucket_stream
from oneapi.catalog.entries import BadEntry, Entry, decode
from oneapi.catalog.view import CatalogView
from oneapi.runtime.semconv import CATALOG_ID, CATALOG_KIND, CATALOG_REVISION, SPAN_CATALOG_APPLY
from oneapi.runtime.tasks import Backoff, TaskSet, heed_cancellation
from oneapi.runtime.telemetry import context_from, sampled, tracer

logger = logging.getLogger(__name__)

Listener = Callable[[Entry, CatalogView], None]

_TICK_S = 0.2
CHECK_EVERY_S = 15.0
"""How often the server is asked whether the watch still exists, seconds."""
_RETRY = Backoff(0.05, 1.0)


class _WatchLost(Exception):
    """The watch may have missed something and must begin anew."""


class CatalogFeed:
    """The catalog as this process knows it. `await start()` returns when the view is complete."""

    def __init__(self, js: JetStreamContext, *, check_every_s: float = CHECK_EVERY_S) -> None:
        self._js = js
        self._check_every_s = check_every_s
        self._view = CatalogView()
        self._ready = asyncio.Event()
        self._listeners: list[Listener] = []
        self._tasks = TaskSet()

    @property
    def view(self) -> CatalogView:
        """The newest view; keep it for the length of one request."""
        return self._view

    @property
    def ready(self) -> bool:
        """Whether everything in the bucket has been loaded once. It stays so: an old view is better than none."""
        return self._ready.is_set()

    def on_change(self, callback: Listener) -> None:
        """Calls `callback(entry, view)` after every change, also for each entry of the first load.

        It runs on the event loop and must return at once. Register before `start` to miss nothing.
        """
        self._listeners.append(callback)

    async def start(self) -> None:
        """Loads and watches. Waits for the bucket for as long as it takes, or is cancelled."""
        self._tasks.spawn_forever(self._follow, "catalog feed", _RETRY)
        await self._ready.wait()

    async def stop(self) -> None:
        """Ends the watch; the view stays."""
        await self._tasks.close()

    async def _follow(self) -> None:
        attempt = 0
        while True:
            heed_cancellation()
            try:
                store = await self._js.key_value(BUCKET_CATALOG)
                reconnects, made = self._reconnects(), await self._bucket_made()
                watcher = await store.watchall()
                attempt = 0
                try:
                    await self._watch(watcher, reconnects, made)
                finally:
                    await _stop_watching(watcher)
            except (OSError, TimeoutError, nats.errors.Error, _WatchLost) as failure:
                attempt += 1
                if attempt in {2, 20} or attempt % 200 == 0:
                    logger.warning("the catalog can't be watched", extra={"fields": {"why": repr(failure)}})
                await asyncio.sleep(_RETRY.delay(attempt))

    async def _watch(self, watcher: Any, reconnects: int, made: object) -> None:
        loop = asyncio.get_running_loop()
        first: list[Entry] | None = []
        checked = loop.time()
        while True:
            heed_cancellation()
            if self._reconnects() != reconnects:
                raise _WatchLost("the connection was lost")
            try:
                update = await watcher.updates(timeout=_TICK_S)
            except TimeoutError:
                if loop.time() - checked > self._check_every_s:
                    checked = loop.time()
                    await self._check(watcher, made)
                continue
            if update is None:
                # Everything that was in the bucket has come.
                self._apply(first or [], traced=False)
                first = None
                self._ready.set()
                continue
            entry = self._entry(update)
            if entry is None:
                continue
            if first is not None:
                first.append(entry)
            else:
                self._apply([entry], traced=True)

    def _reconnects(self) -> int:
        return int(self._js._nc.stats["reconnects"])

    async def _bucket_made(self) -> object:
        return (await self._js.stream_info(bucket_stream(BUCKET_CATALOG))).created

    async def _check(self, watcher: Any, made: object) -> None:
        """A watch that the server forgot is as silent as a catalog that nobody changes."""
        await watcher._sub.consumer_info()
        if await self._bucket_made() != made:
            raise _WatchLost("the bucket was made anew")

    def _entry(self, update: KeyValue.Entry) -> Entry | None:
        if update.operation in {KV_DEL, KV_PURGE}:
            # The bucket was tidied. What is deleted says so itself, with a revision.
            return None
        try:
            return decode(update.value or b"")
        except BadEntry as failure:
            # One bad entry must not stop the others; its writer has to mend it.
            logger.error("a catalog entry is skipped", extra={"fields": {"entry": update.key, "why": str(failure)}})
            return None

    def _apply(self, entries: list[Entry], *, traced: bool) -> None:
        known = self._view.revisions
        view = self._view.apply_all(entries)
        self._view = view
        for entry in entries:
            identity = (entry.kind, entry.id)
            if view.revisions.get(identity) != entry.revision or known.get(identity) == entry.revision:
                continue
            if not (traced and sampled(entry.traceparent)):
                self._tell(entry, view)
                continue
            attributes: dict[str, str | int] = {
                CATALOG_KIND: entry.kind,
                CATALOG_ID: entry.id,
                CATALOG_REVISION: entry.revision,
            }
            with tracer().start_as_current_span(
                SPAN_CATALOG_APPLY, context=context_from(entry.traceparent), attributes=attributes
            ):
                self._tell(entry, view)

    def _tell(self, entry: Entry, view: CatalogView) -> None:
        for listener in self._listeners:
            try:
                listener(entry, view)
            except Exception:  # one listener's failure must not keep the others from the change
                logger.exception("a catalog listener failed", extra={"fields": {"kind": entry.kind}})


async def _stop_watching(watcher: Any) -> None:
    try:
        async with asyncio.timeout(1.0):
            await watcher.stop()
    except (OSError, TimeoutError, nats.errors.Error) as failure:
        logger.debug("ending a catalog watch: %r", failure)
