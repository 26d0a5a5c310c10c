"""The spans of billing: each sampled event is seen in its own trace, up to the insert that it was part of.

It decides which spans there are and how they hang together. An unsampled event costs one look at a string. It must not
know how events are booked.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, set_span_in_context

from oneapi.bus.subjects import CONSUMER_BILLING
from oneapi.runtime.semconv import (
    ACCOUNT_ID,
    COST_NANO_USD,
    DB_BATCH,
    DB_COLLECTION,
    DB_OPERATION,
    DB_SYSTEM,
    EVIDENCE,
    MESSAGING_BATCH,
    MESSAGING_DESTINATION,
    MESSAGING_GROUP,
    MESSAGING_OPERATION,
    MESSAGING_SYSTEM,
    OUTCOME,
    REQUEST_ID,
    SPAN_BILL,
    SPAN_BILL_BATCH,
    SPAN_LEDGER_INSERT,
    SPAN_POST_BALANCES,
)
from oneapi.runtime.telemetry import context_from, sampled, tracer
from services.billing.books import Inserted
from services.billing.rows import LedgerRow


@dataclass(slots=True)
class BatchTrace:
    """What is to be told of one batch: which of its events are traced, and what was inserted, over all attempts."""

    began_ns: int = field(default_factory=time.time_ns)
    traced: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Event id to its traceparent and the subject it came on."""
    inserts: list[Inserted] = field(default_factory=list)

    def saw(self, event_id: str, traceparent: str, subject: str) -> None:
        """Notes an event if its trace is recorded."""
        if sampled(traceparent):
            self.traced[event_id] = (traceparent, subject)

    def tell(self, messages: int) -> None:
        """Makes the spans, now that the batch is posted. Events that were in the ledger before make none."""
        found = [(inserted, row) for inserted in self.inserts for row in inserted.rows if row.event_id in self.traced]
        if not found:
            return
        ended_ns = time.time_ns()
        batch = tracer().start_span(
            SPAN_BILL_BATCH,
            context=Context(),
            kind=SpanKind.CONSUMER,
            start_time=self.began_ns,
            attributes={MESSAGING_SYSTEM: "nats", MESSAGING_OPERATION: "receive", MESSAGING_BATCH: messages},
        )
        for inserted, row in found:
            self._tell(inserted, row, batch.get_span_context(), ended_ns)
        batch.end(ended_ns)

    def _tell(self, inserted: Inserted, row: LedgerRow, batch: SpanContext, ended_ns: int) -> None:
        traceparent, subject = self.traced[row.event_id]
        span = tracer().start_span(
            SPAN_BILL,
            context=context_from(traceparent),
            kind=SpanKind.CONSUMER,
            links=_links(batch),
            start_time=self.began_ns,
            attributes={
                MESSAGING_SYSTEM: "nats",
                MESSAGING_OPERATION: "process",
                MESSAGING_DESTINATION: subject,
                MESSAGING_GROUP: CONSUMER_BILLING,
                **_attributes(row),
            },
        )
        _child(
            span,
            SPAN_LEDGER_INSERT,
            inserted.began_ns,
            inserted.ended_ns,
            {DB_SYSTEM: "clickhouse", DB_OPERATION: "INSERT", DB_COLLECTION: "ledger", DB_BATCH: len(inserted.rows)},
        )
        _child(span, SPAN_POST_BALANCES, inserted.ended_ns, ended_ns, {DB_SYSTEM: "redis", DB_OPERATION: "FCALL"})
        span.end(ended_ns)


def _links(batch: SpanContext) -> Sequence[Link]:
    return [Link(batch)] if batch.is_valid else []


def _attributes(row: LedgerRow) -> Mapping[str, str | int]:
    return {
        REQUEST_ID: row.request_id,
        ACCOUNT_ID: row.account_id,
        OUTCOME: row.outcome or row.kind,
        EVIDENCE: row.evidence or row.kind,
        COST_NANO_USD: row.amount_nano,
    }


def _child(parent: Span, name: str, began_ns: int, ended_ns: int, attributes: Mapping[str, str | int]) -> None:
    span = tracer().start_span(
        name,
        context=set_span_in_context(parent),
        kind=SpanKind.CLIENT,
        start_time=began_ns,
        attributes=dict(attributes),
    )
    span.end(ended_ns)
