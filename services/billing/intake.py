"""Takes batches off the bus and has them booked.

It decides what of a batch can be booked: a message that can't be read is put aside whole, an event that can't be booked
alone, and its neighbours go on. It must not know how lines are stored or balances set.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from nats.aio.msg import Msg
from nats.js import JetStreamContext

from oneapi.bus.publisher import publish
from oneapi.bus.subjects import (
    CREDIT,
    DEAD_LETTER_PREFIX,
    HEADER_DEAD_REASON,
    HEADER_DEAD_SEQUENCE,
    HEADER_DEAD_SUBJECT,
    HEADER_TRACE,
    STREAM_LEDGER,
    USAGE,
)
from oneapi.catalog.view import CatalogView
from proto.events.v1.events_pb2 import SpoolSync, UsageBatch, UsageSettled
from services.billing import meters
from services.billing.books import Books
from services.billing.charges import charge_of
from services.billing.events import Unacceptable, check_usage, read_credit, read_usage
from services.billing.rows import LedgerRow, credit_row, usage_row
from services.billing.tracing import BatchTrace

logger = logging.getLogger(__name__)

_TRACE_ID = slice(3, 35)
_BOOKED_AT_ONCE = 5_000
"""Bounds the memory that a batch takes after the bus was down: a message holds up to some hundred events."""


class DeadLetters(Protocol):
    """As much of `oneapi.bus.consumer.BatchConsumer` as is needed here."""

    async def dead_letter(self, msg: Msg, why: str) -> None:
        """Puts a whole message aside and acknowledges it."""
        ...


class Intake:
    """Handles batches of the LEDGER stream. `on_marker` gets edges' markers once everything before them is booked;
    `catalog()` is the newest view.
    """

    def __init__(
        self,
        js: JetStreamContext,
        letters: DeadLetters,
        books: Books,
        catalog: Callable[[], CatalogView],
        on_marker: Callable[[SpoolSync], None],
    ) -> None:
        self._js = js
        self._letters = letters
        self._books = books
        self._catalog = catalog
        self._on_marker = on_marker
        self._trace: BatchTrace | None = None

    async def handle(self, messages: Sequence[Msg]) -> None:
        """Books a batch; returns when all of it is safe. Raises when it must be called again with the same batch."""
        began = time.monotonic()
        # Attempts of one batch share this, so that what an earlier one inserted is told as well.
        trace = self._trace = self._trace or BatchTrace()
        rows: list[LedgerRow] = []
        markers: list[SpoolSync] = []
        for message in messages:
            if message.is_acked:
                continue  # put aside by an earlier attempt
            try:
                await self._read(message, rows, markers, trace)
            except Unacceptable as why:
                await self._letters.dead_letter(message, str(why))
                meters.DEAD_LETTERS.inc()
            if len(rows) >= _BOOKED_AT_ONCE:
                await self._book(rows, markers, trace)
                rows, markers = [], []
        await self._book(rows, markers, trace)
        self._trace = None
        trace.tell(len(messages))
        meters.BATCH_SECONDS.observe(time.monotonic() - began)

    async def _book(self, rows: Sequence[LedgerRow], markers: Sequence[SpoolSync], trace: BatchTrace) -> None:
        if rows:
            made = await self._books.book(rows, trace.inserts.append)
            for row in made.conflicts:
                meters.PAYLOAD_CONFLICTS.inc()
                fields = {"event_id": row.event_id, "account_id": row.account_id, "sequence": row.stream_seq}
                logger.error("an event id came again with other contents", extra={"fields": fields})
            meters.EVENTS.labels("booked").inc(len(made.rows))
            meters.EVENTS.labels("known").inc(len(rows) - len(made.rows))
        for marker in markers:
            self._on_marker(marker)

    async def _read(self, message: Msg, rows: list[LedgerRow], markers: list[SpoolSync], trace: BatchTrace) -> None:
        """Adds what a message holds to the batch. Raises Unacceptable when all of it must be put aside."""
        sequence = message.metadata.sequence.stream
        if message.subject == CREDIT:
            credit = read_credit(message.data)
            traceparent = (message.headers or {}).get(HEADER_TRACE, "")
            trace.saw(credit.event_id, traceparent, message.subject)
            rows.append(credit_row(credit, stream_seq=sequence, trace_id=traceparent[_TRACE_ID]))
            return
        if message.subject != USAGE:
            raise Unacceptable(f"nothing is booked from {message.subject}")
        batch = read_usage(message.data)
        for place, event in enumerate(batch.events):
            try:
                row = self._row(event, sequence)
            except Unacceptable as why:
                await self._put_aside(message, batch, place, str(why))
                continue
            trace.saw(event.event_id, event.traceparent, message.subject)
            rows.append(row)
        markers += batch.syncs

    def _row(self, event: UsageSettled, sequence: int) -> LedgerRow:
        """The line of one event. Raises Unacceptable."""
        try:
            check_usage(event)
            account = self._catalog().accounts.get(event.account_id)
            limited = account is not None and not account.unlimited
            charge = charge_of(event, limited=limited)
            row = usage_row(event, charge, stream_seq=sequence, limited=limited)
        except Unacceptable:
            raise
        except Exception as failure:  # whatever an event can break, it must not keep all others out of the ledger
            logger.exception("an event can't be read", extra={"fields": {"event_id": event.event_id}})
            raise Unacceptable(f"unreadable: {failure!r}") from failure
        if not charge.matches:
            meters.AMOUNT_MISMATCHES.inc()
            fields = {
                "event_id": event.event_id,
                "edge_id": event.edge_id,
                "claimed_nano": event.amount_nano,
                "claimed_house_nano": event.house_nano,
                "charged_nano": charge.amount_nano,
                "house_nano": charge.house_nano,
            }
            logger.error("an edge charged another amount than usage and price make", extra={"fields": fields})
        return row

    async def _put_aside(self, message: Msg, batch: UsageBatch, place: int, why: str) -> None:
        """Puts one event aside, in a message that can be published again as it is. Raises BusUnavailable."""
        event = batch.events[place]
        sequence = message.metadata.sequence.stream
        alone = UsageBatch(edge_id=batch.edge_id, spool_epoch=batch.spool_epoch, events=[event])
        answer = await publish(
            self._js,
            DEAD_LETTER_PREFIX + message.subject,
            alone.SerializeToString(deterministic=True),
            msg_id=f"{STREAM_LEDGER}:{sequence}:{place}",
            headers={
                HEADER_DEAD_REASON: " ".join(why.split())[:400],
                HEADER_DEAD_SUBJECT: message.subject,
                HEADER_DEAD_SEQUENCE: str(sequence),
            },
        )
        if answer.duplicate:
            return
        meters.DEAD_LETTERS.inc()
        meters.EVENTS.labels("put aside").inc()
        fields = {"event_id": event.event_id[:200], "sequence": sequence, "why": why}
        logger.error("an event was put aside", extra={"fields": fields})
