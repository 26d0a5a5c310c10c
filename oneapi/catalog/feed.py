"""Keeps a view of the `catalog` bucket up to date in this process.

It decides when the view is complete and how it survives a lost connection, and must not know what the view is used
for. An entry disappears by a deletion only, never because the bucket lacks it: a bucket that was lost is filled again
while services go on with what they hold.
"""

import asyncio
import logging
from collections.abc import Callable

from nats.js import JetStreamContext
from nats.js.kv import KV_DEL, KV_PURGE, KeyValue

from oneapi.bus.bucket_watch import CHECK_EVERY_S, RETRY, BucketWatch
from oneapi.bus.subjects import BUCKET_CATALOG
from oneapi.catalog.entries import BadEntry, Entry, decode
from oneapi.catalog.view import CatalogView
from oneapi.runtime.semconv import CATALOG_ID, CATALOG_KIND, CATALOG_REVISION, SPAN_CATALOG_APPLY
from oneapi.runtime.tasks import TaskSet
from oneapi.runtime.telemetry import context_from, sampled, tracer

logger = logging.getLogger(__name__)

Listener = Callable[[Entry, CatalogView], None]


class CatalogFeed:
    """The catalog as this process knows it. `await start()` returns when the view is complete."""

    def __init__(self, js: JetStreamContext, *, check_every_s: float = CHECK_EVERY_S) -> None:
        self._watch = BucketWatch(
            js, BUCKET_CATALOG, self._entry, self._loaded, self._changed, check_every_s=check_every_s
        )
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
        self._tasks.spawn_forever(self._watch.run, "catalog feed", RETRY)
        await self._ready.wait()

    async def stop(self) -> None:
        """Ends the watch; the view stays."""
        await self._tasks.close()

    def _loaded(self, entries: list[Entry]) -> None:
        self._apply(entries, traced=False)
        self._ready.set()

    def _changed(self, entry: Entry) -> None:
        self._apply([entry], traced=True)

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
