"""Carries terminal records from the spool to the bus, in order, each at least once.

It decides what is one message, and moves the cursor after the bus has confirmed, never before. A range that must be
sent again goes with the same id and the same bytes. It must not know what the records say, beyond their kind.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import msgspec
import nats.errors
from opentelemetry.trace import SpanKind

from oneapi.bus import subjects
from oneapi.bus.publisher import BusUnavailable
from oneapi.runtime import metrics, semconv
from oneapi.runtime.tasks import Backoff
from oneapi.runtime.telemetry import context_from, tracer
from proto.events.v1.events_pb2 import UsageBatch, UsageSettled
from services.edge.money import records
from services.edge.money.spool import Spool

logger = logging.getLogger(__name__)

BATCH_EVENTS = 200
BATCH_BYTES = 512 * 1024
"""Half of what a NATS server takes by default."""
SCAN_BYTES = 1024 * 1024
BATCH_S = 0.05
RETRY = Backoff(0.05, 5.0)

_EVENTS_TAG = b"\x2a"
_SYNCS_TAG = b"\x32"
"""Fields 5 and 6 of `UsageBatch`, length-delimited: its parts are in the spool as they go out."""

_shipped = metrics.counter(semconv.METRIC_SPOOL_SHIPPED, "Terminal records that the bus has confirmed")
_unshipped = metrics.gauge(semconv.METRIC_SPOOL_UNSHIPPED, "Terminal records that the bus hasn't confirmed yet")
_failed = metrics.counter(semconv.METRIC_BUS_PUBLISH_FAILURES, "Batches that the bus didn't confirm")

Publish = Callable[[bytes, str], Awaitable[object]]
"""Publishes a payload under a message id. Raises BusUnavailable, nats.errors.MaxPayloadError."""


class Batch(msgspec.Struct, frozen=True):
    """A range of the spool and its message. `payload` is empty when there is nothing in it for the bus."""

    first: int
    end: int
    count: int
    payload: bytes
    traced: tuple[bytes, ...]


class Shipper:
    """Ships one spool. `floor()` is where the oldest open request begins; `backlog` counts what the last process left
    to ship."""

    def __init__(self, spool: Spool, publish: Publish, floor: Callable[[], int], backlog: int = 0) -> None:
        self._spool = spool
        self._publish = publish
        self._floor = floor
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._wanted = spool.end
        self._most = BATCH_EVENTS
        _unshipped.set(backlog)
        self._wake.set()

    def wake(self, end: int) -> None:
        """Says that there is one more record to ship before this offset."""
        self._wanted = end
        _unshipped.inc()
        if not self._wake.is_set():
            self._wake.set()

    @property
    def done(self) -> bool:
        """Whether everything that there was to ship is in the stream."""
        return self._spool.cursor.shipped >= self._wanted

    async def run(self) -> None:
        """Ships for ever. Raises SpoolCorrupt, OSError when the spool can't be read."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(BATCH_S)
            self._wake.clear()
            while (batch := self._next()) is not None:
                await self._ship(batch)
            if not self.done:
                # It isn't durable yet.
                self._wake.set()

    async def drain(self, limit_s: float) -> bool:
        """Waits until everything is shipped, `limit_s` at most; whether it is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not self.done:
                    self._moved.clear()
                    await self._moved.wait()
        return self.done

    def _next(self) -> Batch | None:
        """What follows the cursor: the range that was being sent if there is one, else as much as one message takes."""
        cursor = self._spool.cursor
        if cursor.pending > cursor.shipped:
            return self._collect(cursor.shipped, cursor.pending, most=None)
        batch = self._collect(cursor.shipped, self._spool.durable, most=self._most)
        return batch if batch.end > batch.first else None

    def _collect(self, first: int, limit: int, most: int | None) -> Batch:
        identity = self._spool.identity
        parts: list[bytes] = []
        traced: list[bytes] = []
        offset, size, full = first, 0, False
        while not full and offset < limit:
            found, reach = self._spool.read(offset, limit, records.SHIPPED)
            if reach == offset:
                break
            for record in found:
                sync = record.kind == records.SYNC
                body = record.payload if sync else records.event_of(record.payload)
                if most is not None and parts and (len(parts) >= most or size + len(body) > BATCH_BYTES):
                    full, reach = True, record.offset
                    break
                size += len(body)
                parts.append((_SYNCS_TAG if sync else _EVENTS_TAG) + _varint(len(body)) + body)
                if record.kind == records.FINAL_TRACED:
                    traced.append(body)
            offset = reach
            # However much else lies between the events, the loop isn't held up by reading it.
            full = full or (most is not None and offset - first >= SCAN_BYTES)
        if not parts:
            return Batch(first, offset, 0, b"", ())
        head = UsageBatch(
            edge_id=identity.edge_id, spool_epoch=identity.epoch, first_offset=first, end_offset=offset
        ).SerializeToString(deterministic=True)
        return Batch(first, offset, len(parts), head + b"".join(parts), tuple(traced))

    async def _ship(self, batch: Batch) -> None:
        """Sends a batch until it is confirmed, for as long as that takes."""
        if batch.payload:
            self._spool.move(shipped=batch.first, pending=batch.end, floor=self._floor())
            identity = self._spool.identity
            message_id = f"{identity.edge_id}:{identity.epoch}:{batch.first}-{batch.end}"
            begun = time.time_ns()
            attempt = 0
            while True:
                try:
                    await self._publish(batch.payload, message_id)
                    break
                except nats.errors.MaxPayloadError:
                    if batch.count > 1:
                        # Nothing was sent: the range may be cut anew.
                        self._most = max(batch.count // 2, 1)
                        self._spool.move(shipped=batch.first, pending=batch.first, floor=self._floor())
                        return
                    logger.critical("an event is larger than the bus takes", extra={"fields": {"at": batch.first}})
                except BusUnavailable as failure:
                    if attempt == 0:
                        logger.warning("the bus doesn't confirm: %s", failure)
                attempt += 1
                _failed.inc()
                await asyncio.sleep(RETRY.delay(attempt))
            self._most = BATCH_EVENTS
            _trace(batch, message_id, begun)
            _shipped.inc(batch.count)
            _unshipped.dec(batch.count)
        self._spool.move(shipped=batch.end, pending=batch.end, floor=self._floor())
        self._moved.set()


def _trace(batch: Batch, message_id: str, begun_ns: int) -> None:
    """A span in the trace of each event that is traced. The event stays as it was written."""
    for body in batch.traced:
        traceparent = UsageSettled.FromString(body).traceparent
        tracer().start_span(
            semconv.SPAN_PUBLISH,
            context=context_from(traceparent),
            kind=SpanKind.PRODUCER,
            start_time=begun_ns,
            attributes={
                semconv.MESSAGING_SYSTEM: "nats",
                semconv.MESSAGING_OPERATION: "publish",
                semconv.MESSAGING_DESTINATION: subjects.USAGE,
                semconv.MESSAGING_MESSAGE_ID: message_id,
                semconv.MESSAGING_BATCH: batch.count,
            },
        ).end()


def _varint(number: int) -> bytes:
    """A length as protobuf writes it."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
