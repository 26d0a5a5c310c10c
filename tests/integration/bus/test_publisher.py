"""Publishing with proof, on a real server."""

import asyncio

import pytest
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.bus.publisher import BusUnavailable, publish
from oneapi.bus.subjects import STREAM_LEDGER, USAGE
from oneapi.runtime import semconv, telemetry
from tests.integration.own_nats import OwnNats

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_the_same_id_is_stored_once(js: JetStreamContext) -> None:
    first = await publish(js, USAGE, b"a", msg_id="edge:1:0-10")
    again = await publish(js, USAGE, b"a", msg_id="edge:1:0-10")
    assert (bool(first.duplicate), bool(again.duplicate), again.seq) == (False, True, first.seq)


async def test_the_id_is_still_known_after_a_crash_of_the_server(js: JetStreamContext, own_nats: OwnNats) -> None:
    first = await publish(js, USAGE, b"a", msg_id="edge:1:0-10")
    own_nats.kill()
    with pytest.raises(BusUnavailable):
        await publish(js, USAGE, b"b", msg_id="edge:1:10-20")
    own_nats.start()
    async with asyncio.timeout(10):
        while True:
            try:
                again = await publish(js, USAGE, b"a", msg_id="edge:1:0-10")
                await publish(js, USAGE, b"b", msg_id="edge:1:10-20")
                break
            except BusUnavailable:
                continue
    assert (again.duplicate, again.seq) == (True, first.seq)
    assert (await js.stream_info(STREAM_LEDGER)).state.messages == 2


async def test_a_subject_of_no_stream_fails_at_once(js: JetStreamContext) -> None:
    async with asyncio.timeout(3):
        with pytest.raises(BusUnavailable):
            await publish(js, "nobody.listens", b"a", msg_id="1")


async def test_what_can_never_fit_is_no_reason_to_try_again(js: JetStreamContext) -> None:
    with pytest.raises(MaxPayloadError):
        await publish(js, USAGE, bytes(2 * 1024 * 1024), msg_id="1")


async def test_a_sampled_trace_goes_on_in_the_message(js: JetStreamContext) -> None:
    exporter = InMemorySpanExporter()
    tracing = telemetry.setup("test", sample=0, endpoint=None, exporter=exporter)
    await publish(js, USAGE, b"a", msg_id="1", traceparent=SAMPLED)
    await publish(js, USAGE, b"a", msg_id="2", traceparent=SAMPLED[:-1] + "0")
    await asyncio.to_thread(tracing.shutdown)
    (span,) = exporter.get_finished_spans()
    assert span.name == semconv.SPAN_PUBLISH
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" in SAMPLED
    carried = await js.get_msg(STREAM_LEDGER, seq=1)
    assert (carried.headers or {})["traceparent"] == telemetry.traceparent_of(span.context)
    assert "traceparent" not in ((await js.get_msg(STREAM_LEDGER, seq=2)).headers or {})
