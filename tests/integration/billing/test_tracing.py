"""An event that is traced is seen in its own trace, up to the insert."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.runtime import telemetry
from oneapi.runtime.semconv import SPAN_BILL, SPAN_BILL_BATCH, SPAN_LEDGER_INSERT, SPAN_POST_BALANCES
from tests.integration.billing.world import World, receipt, until, usage_event

ACCOUNT = "acc_1"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
CREDIT_TRACE = "1af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def in_trace(spans: tuple[ReadableSpan, ...], trace_id: str) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans if span.context and span.context.trace_id == int(trace_id, 16)}


async def test_sampled_events_have_spans_and_others_none(world: World, exporter: InMemorySpanExporter) -> None:
    replica = await world.writer()
    # In place of the service's own, which sends nothing here.
    own = telemetry.setup("billing", sample=0.0, endpoint=None, exporter=exporter)
    await world.opened(ACCOUNT, unlimited=True)
    traced = usage_event(ACCOUNT, traceparent=TRACEPARENT, trace_id=TRACE)
    silent = usage_event(ACCOUNT, traceparent=TRACEPARENT[:-1] + "0")
    await world.ship(traced, silent)
    await world.credit(ACCOUNT, 5, "cr_1", traceparent=f"00-{CREDIT_TRACE}-b7ad6b7169203331-01")
    await until(world.drained)

    async def exported() -> tuple[ReadableSpan, ...]:
        own.provider.force_flush(1_000)
        spans = exporter.get_finished_spans()
        return spans if in_trace(spans, TRACE) and SPAN_BILL in in_trace(spans, CREDIT_TRACE) else ()

    spans = await until(exported)
    found = in_trace(spans, TRACE)
    assert set(found) == {SPAN_BILL, SPAN_LEDGER_INSERT, SPAN_POST_BALANCES}
    bill, insert = found[SPAN_BILL], found[SPAN_LEDGER_INSERT]
    assert bill.parent is not None
    assert f"{bill.parent.span_id:016x}" == "b7ad6b7169203331"
    assert insert.parent is not None
    assert bill.context is not None
    assert insert.parent.span_id == bill.context.span_id
    assert insert.attributes is not None
    assert insert.attributes["db.system.name"] == "clickhouse"
    assert bill.attributes is not None
    assert bill.attributes["oneapi.request_id"] == traced.request_id
    batches = {span.context.span_id for span in spans if span.name == SPAN_BILL_BATCH and span.context}
    assert [link.context.span_id in batches for link in bill.links] == [True]
    shown = await receipt(replica, traced.request_id)
    assert shown is not None
    assert shown["trace_id"] == TRACE
    own.shutdown()
