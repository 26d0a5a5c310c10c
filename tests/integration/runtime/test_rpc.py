"""gRPC between our own processes, over real sockets."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from oneapi.runtime import telemetry
from oneapi.runtime.rpc import call_metadata, channel, server
from proto.router.v1.router_pb2 import (
    Explanation,
    OutcomeBatch,
    PickRequest,
    Plan,
    PlanBatch,
    ReportReply,
    RouteBatch,
)
from proto.router.v1.router_pb2_grpc import RouterServicer, RouterStub, add_RouterServicer_to_server

SECRET = "a secret of the tests"


class Echo(RouterServicer):
    """Answers with the trace that it is called in, and its own name as the refusal."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def Pick(self, request: PickRequest, context: Any) -> Plan:  # noqa: N802 - gRPC's name
        return Plan(pick_id=request.pick_id, refusal=telemetry.current_traceparent() or self.name)

    async def Explain(self, request: PickRequest, context: Any) -> Explanation:  # noqa: N802 - gRPC's name
        return Explanation()

    async def Report(self, request: OutcomeBatch, context: Any) -> ReportReply:  # noqa: N802 - gRPC's name
        return ReportReply()

    async def Route(self, requests: AsyncIterator[RouteBatch], context: Any) -> AsyncIterator[PlanBatch]:  # noqa: N802
        async for batch in requests:
            yield PlanBatch(plans=[Plan(pick_id=pick.pick_id) for pick in batch.picks])


@dataclass
class Running:
    """Two servers, and channels to close."""

    addresses: list[str] = field(default_factory=list)
    servers: list[grpc.aio.Server] = field(default_factory=list)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    found = Running()
    for name in ("a", "b"):
        one = server(SECRET)
        add_RouterServicer_to_server(Echo(name), one)
        found.addresses.append(f"127.0.0.1:{one.add_insecure_port('127.0.0.1:0')}")
        found.servers.append(one)
        await one.start()
    yield found
    for one in found.servers:
        await one.stop(None)


@pytest.fixture
def tracing() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    made = telemetry.setup("test", sample=0, endpoint=None, exporter=exporter)
    yield exporter
    made.shutdown()


async def test_calls_are_signed_and_spread(running: Running) -> None:
    async with channel(running.addresses, SECRET) as open_channel:
        stub = RouterStub(open_channel)
        await open_channel.channel_ready()
        names = set()
        for number in range(200):
            plan = await stub.Pick(PickRequest(pick_id=number), timeout=5, wait_for_ready=True)
            names.add(plan.refusal)
            if len(names) == 2:
                break
    assert names == {"a", "b"}


async def test_another_installation_is_refused(running: Running) -> None:
    async with channel(running.addresses, "another secret") as open_channel:
        stub = RouterStub(open_channel)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.Pick(PickRequest(), timeout=5)
        assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED
    async with grpc.aio.insecure_channel(running.addresses[0]) as open_channel:
        stub = RouterStub(open_channel)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.Pick(PickRequest(), timeout=5)
        assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED
        call = stub.Route(timeout=5)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call.read()
        assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_callers_with_a_previous_secret_are_answered() -> None:
    both = server("new", ["old", "older"])
    add_RouterServicer_to_server(Echo("both"), both)
    addresses = [f"127.0.0.1:{both.add_insecure_port('127.0.0.1:0')}"]
    await both.start()
    try:
        for secret in ("new", "old", "older"):
            async with channel(addresses, secret) as open_channel:
                assert (await RouterStub(open_channel).Pick(PickRequest(), timeout=5)).refusal == "both"
        async with channel(addresses, "oldest") as open_channel:
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await RouterStub(open_channel).Pick(PickRequest(), timeout=5)
            assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED
    finally:
        await both.stop(None)


async def test_a_stream_is_signed_by_its_caller(running: Running) -> None:
    async with channel(running.addresses, SECRET) as open_channel:
        call = RouterStub(open_channel).Route(metadata=call_metadata(SECRET))
        for number in (1, 2):
            await call.write(RouteBatch(picks=[PickRequest(pick_id=number)]))
            reply = await call.read()
            assert isinstance(reply, PlanBatch)
            assert reply.plans[0].pick_id == number
        await call.done_writing()


async def test_a_sampled_trace_goes_on_in_the_server(running: Running, tracing: InMemorySpanExporter) -> None:
    async with channel(running.addresses, SECRET) as open_channel:
        stub = RouterStub(open_channel)
        with telemetry.tracer().start_as_current_span("caller"):
            mine = telemetry.current_traceparent()
            assert (await stub.Pick(PickRequest(), timeout=5)).refusal == mine
            explicit = await stub.Pick(PickRequest(), timeout=5, metadata=call_metadata(SECRET))
            assert explicit.refusal == mine
        assert trace.get_current_span() is trace.INVALID_SPAN
        # The next call is in no trace: contexts of calls do not leak into each other.
        assert (await stub.Pick(PickRequest(), timeout=5)).refusal in {"a", "b"}


async def test_nothing_is_tried_again_by_the_library(running: Running) -> None:
    async with channel(["127.0.0.1:1"], SECRET) as open_channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await RouterStub(open_channel).Pick(PickRequest(), timeout=5)
        assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
