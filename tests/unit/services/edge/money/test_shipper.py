import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import nats.errors
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.bus.publisher import BusUnavailable
from oneapi.runtime.tasks import Backoff
from oneapi.runtime.telemetry import setup
from proto.events.v1.events_pb2 import SpoolSync, UsageBatch, UsageSettled
from services.edge.money import records, shipper
from services.edge.money.shipper import Shipper
from services.edge.money.spool import Spool


class Bus:
    """Keeps what is published. `failures` is how many publishes fail first; `lost_acks` how many are kept and fail."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.failures = 0
        self.lost_acks = 0
        self.largest = 10**9
        self.published = asyncio.Event()

    async def publish(self, payload: bytes, message_id: str) -> None:
        await asyncio.sleep(0)
        if len(payload) > self.largest:
            raise nats.errors.MaxPayloadError
        if self.failures:
            self.failures -= 1
            raise BusUnavailable("down")
        self.messages.append((message_id, payload))
        self.published.set()
        if self.lost_acks:
            self.lost_acks -= 1
            raise BusUnavailable("no acknowledgement")

    @property
    def batches(self) -> list[UsageBatch]:
        return [UsageBatch.FromString(payload) for _, payload in self.messages]

    @property
    def events(self) -> list[str]:
        return [event.request_id for batch in self.batches for event in batch.events]


class Edge:
    def __init__(self, folder: Path, bus: Bus) -> None:
        loop = asyncio.get_running_loop()
        self.spool = Spool(folder, edge_id="edge", min_free_bytes=0, segment_bytes=4_000, later=loop.call_later)
        list(self.spool.recover())
        self.spool.begin()
        self.bus = bus
        self.floor = 0
        self.shipper = Shipper(self.spool, bus.publish, lambda: self.floor)
        self.task = asyncio.create_task(self.shipper.run())

    def finish(self, rid: str, *, traced: bool = False, padding: int = 0) -> None:
        self.spool.append(records.TENT, b"something")
        event = UsageSettled(request_id=rid, model="x" * padding).SerializeToString()
        kind = records.FINAL_TRACED if traced else records.FINAL
        self.spool.append(kind, records.encode_event(1, event))
        self.shipper.wake(self.spool.end)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.spool.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipper, "BATCH_S", 0.002)
    monkeypatch.setattr(shipper, "RETRY", Backoff(0.001, 0.002))


@pytest.fixture
async def edge(tmp_path: Path, quick: None) -> AsyncIterator[Edge]:
    found = Edge(tmp_path, Bus())
    yield found
    await found.end()


async def test_everything_arrives_once_and_in_order(edge: Edge) -> None:
    rids = [f"r{n}" for n in range(450)]
    for rid in rids:
        edge.finish(rid)
    end = edge.spool.end
    assert await edge.shipper.drain(5)
    assert edge.bus.events == rids
    assert max(len(batch.events) for batch in edge.bus.batches) <= shipper.BATCH_EVENTS
    identity = edge.spool.identity
    ends = [0]
    for message_id, batch in zip([row[0] for row in edge.bus.messages], edge.bus.batches, strict=True):
        assert (batch.edge_id, batch.spool_epoch) == (identity.edge_id, identity.epoch)
        assert message_id == f"edge:{identity.epoch}:{batch.first_offset}-{batch.end_offset}"
        assert batch.first_offset == ends[-1], "ranges have no gaps"
        ends.append(batch.end_offset)
    # The segment that is begun after these has a head of its own.
    assert ends[-1] >= end
    assert edge.spool.cursor.shipped >= end
    assert edge.spool.durable >= end


async def test_the_cursor_waits_for_the_bus(edge: Edge) -> None:
    edge.bus.failures = 5
    edge.finish("r1")
    assert await edge.shipper.drain(5)
    assert edge.bus.events == ["r1"]


async def test_a_range_without_an_acknowledgement_goes_again_as_it_was(edge: Edge) -> None:
    edge.bus.lost_acks = 3
    edge.finish("r1")
    edge.finish("r2")
    assert await edge.shipper.drain(5)
    assert len(edge.bus.messages) == 4
    assert len(set(edge.bus.messages)) == 1


async def test_the_next_process_sends_the_same_range_again(tmp_path: Path, quick: None) -> None:
    bus = Bus()
    bus.lost_acks = 10**6
    first = Edge(tmp_path, bus)
    first.finish("r1")
    async with asyncio.timeout(5):
        await bus.published.wait()
    first.finish("r2")
    await first.end()  # as if it had been killed between the acknowledgement and the cursor
    bus.lost_acks = 0
    sent = set(bus.messages)
    assert len(sent) == 1
    second = Edge(tmp_path, bus)
    assert await second.shipper.drain(5)
    assert set(bus.messages[:-1]) == sent
    assert bus.batches[-1].events[0].request_id == "r2"
    await second.end()


async def test_a_marker_comes_after_all_that_was_before_it(edge: Edge) -> None:
    edge.finish("r1")
    edge.spool.append(records.SYNC, SpoolSync(rebuild_id="n1").SerializeToString())
    edge.shipper.wake(edge.spool.end)
    edge.finish("r2")
    assert await edge.shipper.drain(5)
    (batch,) = edge.bus.batches
    assert ([event.request_id for event in batch.events], [sync.rebuild_id for sync in batch.syncs]) == (
        ["r1", "r2"], ["n1"],
    )  # fmt: skip


async def test_a_batch_that_is_too_large_is_cut(edge: Edge) -> None:
    edge.bus.largest = 2_000
    for n in range(20):
        edge.finish(f"r{n}", padding=300)
    assert await edge.shipper.drain(5)
    assert edge.bus.events == [f"r{n}" for n in range(20)]


async def test_records_that_are_not_for_the_bus_only_move_the_cursor(edge: Edge) -> None:
    edge.spool.append(records.TENT, b"something")
    edge.shipper.wake(edge.spool.end)
    assert await edge.shipper.drain(5)
    assert edge.bus.messages == []


async def test_the_floor_is_filed_with_the_cursor(edge: Edge) -> None:
    edge.floor = 7
    edge.finish("r1")
    assert await edge.shipper.drain(5)
    assert edge.spool.cursor.floor == 7


async def test_a_traced_event_has_a_span_in_its_own_trace_and_stays_as_it_was(edge: Edge) -> None:
    exporter = InMemorySpanExporter()
    telemetry = setup("edge", sample=1.0, endpoint=None, exporter=exporter)
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event = UsageSettled(request_id="r1", traceparent=traceparent).SerializeToString()
    edge.spool.append(records.FINAL_TRACED, records.encode_event(1, event))
    edge.finish("r2")
    assert await edge.shipper.drain(5)
    telemetry.shutdown()
    (span,) = exporter.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == traceparent[3:35]
    assert f"{span.parent.span_id:016x}" == traceparent[36:52]
    assert edge.bus.batches[0].events[0].traceparent == traceparent


async def test_draining_has_a_limit(edge: Edge) -> None:
    edge.bus.failures = 10**6
    edge.finish("r1")
    assert not await edge.shipper.drain(0.05)
