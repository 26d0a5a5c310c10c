"""Sends the outbox to the bus, in order, and marks what the bus has acknowledged.

Decides that an older entry never replaces a newer one in a bucket, even when a second publisher still runs: each
write names the bucket's revision that it replaces. This module must not know who may publish, or why something changed.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.kv import KeyValue
from opentelemetry.trace import SpanKind
from sqlalchemy import func, select, update

from oneapi.bus import publisher as bus_publisher
from oneapi.bus import subjects
from oneapi.catalog import entries
from oneapi.runtime import metrics, semconv
from oneapi.runtime.telemetry import context_from, sampled, tracer
from services.admin.clock import now_ms
from services.admin.store.database import Database
from services.admin.store.schema import Outbox

logger = logging.getLogger(__name__)

BATCH = 200
ATTEMPTS = 5
WAITING = metrics.gauge(semconv.METRIC_CATALOG_OUTBOX, "Changes that are not on the bus yet.")
REVISION = metrics.gauge(semconv.METRIC_CATALOG_REVISION, "Revision of the newest change on the bus.")


class Contended(Exception):
    """Somebody else kept writing the same entry."""


class Publisher:
    """`may_publish` is asked before each message."""

    def __init__(
        self,
        database: Database,
        js: JetStreamContext,
        buckets: Mapping[str, KeyValue],
        may_publish: Callable[[], bool],
    ) -> None:
        self._database = database
        self._js = js
        self._buckets = buckets
        self._may_publish = may_publish

    async def drain(self) -> int:
        """Publishes what waits, until nothing does or it may not any more; how many were published.

        Raises what the bus or the database raise; what was acknowledged until then is marked.
        """
        total = 0
        while sent := await self._drain_batch():
            total += sent
        return total

    async def _drain_batch(self) -> int:
        async with self._database.reading() as session:
            waiting = select(Outbox).where(Outbox.published_at_ms.is_(None)).order_by(Outbox.revision)
            rows = (await session.scalars(waiting.limit(BATCH))).all()
            count = len(rows)
            if count == BATCH:
                count = await session.scalar(select(func.count()).where(Outbox.published_at_ms.is_(None))) or 0
        WAITING.set(count)
        sent: list[int] = []
        try:
            for row in rows:
                if not self._may_publish():
                    break
                await self._send(row)
                sent.append(row.revision)
        finally:
            await self._mark(sent)
            WAITING.set(count - len(sent))
        return len(sent)

    async def _mark(self, revisions: Sequence[int]) -> None:
        if not revisions:
            return
        async with self._database.writing() as session:
            await session.execute(update(Outbox).where(Outbox.revision.in_(revisions)).values(published_at_ms=now_ms()))
        REVISION.set(max(revisions))

    async def _send(self, row: Outbox) -> None:
        bucket = self._buckets.get(row.target)
        if bucket is None:
            await bus_publisher.publish(self._js, row.target, row.payload, msg_id=row.name, traceparent=row.traceparent)
            return
        if not sampled(row.traceparent):
            await put(bucket, row.name, row.payload, row.revision)
            return
        with tracer().start_as_current_span(
            semconv.SPAN_CATALOG_PUBLISH,
            context=context_from(row.traceparent),
            kind=SpanKind.PRODUCER,
            attributes={
                semconv.MESSAGING_SYSTEM: "nats",
                semconv.MESSAGING_OPERATION: "publish",
                semconv.MESSAGING_DESTINATION: subjects.bucket_subject(row.target, "*"),
                semconv.CATALOG_REVISION: row.revision,
            },
        ):
            await put(bucket, row.name, row.payload, row.revision)


async def put(bucket: KeyValue, name: str, payload: bytes, revision: int) -> None:
    """Writes an entry unless the bucket has this revision or a newer one. Raises Contended and what NATS raises."""
    for _ in range(ATTEMPTS):
        try:
            last, present = await _present(bucket, name)
            if present >= revision:
                return
            if last == 0:
                await bucket.create(name, payload)
            else:
                await bucket.update(name, payload, last=last)
        except nats.js.errors.KeyWrongLastSequenceError:
            continue
        else:
            return
    raise Contended(name)


async def _present(bucket: KeyValue, name: str) -> tuple[int, int]:
    """The bucket's revision of an entry and the catalog's; zeros when there is none. What isn't ours counts as old."""
    try:
        entry = await bucket.get(name)
    except nats.js.errors.KeyNotFoundError:
        return 0, 0
    try:
        return int(entry.revision or 0), entries.decode(entry.value or b"").revision
    except entries.BadEntry:
        logger.warning("an entry of the catalog is malformed and is replaced", extra={"fields": {"entry": name}})
        return int(entry.revision or 0), 0
