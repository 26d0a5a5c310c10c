"""A router in this process, on a real bus, called over real gRPC."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc
import grpc.aio
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from oneapi.bus.streams import ensure
from oneapi.catalog.types import Channel
from oneapi.runtime import rpc
from oneapi.runtime.connections import connect_nats
from proto.router.v1 import router_pb2
from proto.router.v1.router_pb2 import Outcome, OutcomeBatch, PickRequest, Plan, PlanBatch, RouteBatch
from proto.router.v1.router_pb2_grpc import RouterStub
from tests.integration.own_nats import OwnNats, until
from tests.integration.router.conftest import SECRET, Bus, Router

StartRouter = Callable[[str], Awaitable[Router]]
SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def make_channel(id: str, **fields: Any) -> Channel:  # noqa: A002 - the field's own name
    return Channel(**({"id": id, "name": id, "provider": "openai", "models": ("m",)} | fields))


def pick(**fields: Any) -> PickRequest:
    return PickRequest(**({"model": "m", "endpoint": "chat", "group": "default"} | fields))


def ids(plan: Plan) -> list[str]:
    return [candidate.channel_id for candidate in plan.candidates]


def get(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def ready(router: Router) -> None:
    while True:
        status, _ = await asyncio.to_thread(get, f"{router.health_url}/readyz")
        if status == 200:
            return
        await asyncio.sleep(0.02)


async def plans_until(router: Router, condition: Callable[[Plan], bool]) -> Plan:
    async with asyncio.timeout(10):
        while True:
            plan: Plan = await router.stub.Pick(pick())
            if condition(plan):
                return plan
            await asyncio.sleep(0.02)


@pytest.fixture
async def router(bus: Bus, own_nats: OwnNats, start_router: StartRouter) -> Router:
    """A router with two channels of one model."""
    await bus.publish(make_channel("a", priority=1, model_mapping={"m": "m-big"}))
    await bus.publish(make_channel("b"))
    router = await start_router(own_nats.url)
    async with asyncio.timeout(10):
        await ready(router)
    return router


class Stream:
    """A caller's long-lived stream."""

    def __init__(self, router: Router) -> None:
        self._call = router.stub.Route(metadata=rpc.call_metadata(SECRET))

    async def send(self, picks: Iterable[PickRequest] = (), outcomes: Iterable[Outcome] = ()) -> None:
        await self._call.write(RouteBatch(picks=picks, outcomes=outcomes))

    async def read(self) -> PlanBatch | None:
        async with asyncio.timeout(5):
            batch = await self._call.read()
        return batch if isinstance(batch, PlanBatch) else None

    async def ask(self, *picks: PickRequest) -> list[Plan]:
        await self.send(picks)
        batch = await self.read()
        assert batch is not None
        return list(batch.plans)

    async def code(self) -> grpc.StatusCode:
        async with asyncio.timeout(5):
            code: grpc.StatusCode = await self._call.code()
            return code


async def test_single_pick_follows_the_catalog(bus: Bus, router: Router) -> None:
    plan = await router.stub.Pick(pick(dialects=["openai_chat"]))
    assert ids(plan) == ["a", "b"]
    assert plan.candidates[0].upstream_model == "m-big"
    assert plan.catalog_revision == 2
    await bus.delete("a")
    assert ids(await plans_until(router, lambda plan: plan.catalog_revision == 3)) == ["b"]
    await bus.publish(make_channel("c", priority=9))
    assert ids(await plans_until(router, lambda plan: plan.catalog_revision == 4)) == ["c", "b"]


async def test_stream_answers_a_batch_with_a_batch(router: Router) -> None:
    stream = Stream(router)
    picks = [pick(pick_id=number, model="m" if number % 2 else "unknown") for number in range(1, 301)]
    plans = await stream.ask(*picks)
    assert [plan.pick_id for plan in plans] == list(range(1, 301))
    assert all(ids(plan) == ["a", "b"] for plan in plans if plan.pick_id % 2)
    assert {plan.refusal for plan in plans if not plan.pick_id % 2} == {"unknown_model"}
    await stream.send(outcomes=[Outcome(channel_id="a", model="m", kind=router_pb2.OUTCOME_KIND_OK)])
    assert ids((await stream.ask(pick(pick_id=7)))[0]) == ["a", "b"], "a batch of outcomes alone has no answer"


async def test_outcomes_on_the_stream_and_by_report_change_the_plans(router: Router) -> None:
    stream = Stream(router)
    failed = Outcome(channel_id="a", model="m", kind=router_pb2.OUTCOME_KIND_TIMEOUT)
    await stream.send(outcomes=[failed] * 5)
    assert ids((await stream.ask(pick()))[0]) == ["b"]
    refused = Outcome(channel_id="b", model="m", kind=router_pb2.OUTCOME_KIND_RATE_LIMITED, retry_after_ms=30_000)
    await router.stub.Report(OutcomeBatch(origin="somebody", outcomes=[refused]))
    plan = await router.stub.Pick(pick())
    assert plan.refusal == "all_cooling"
    assert 7_000 < plan.retry_after_ms <= 12_500, "when the first of them returns"
    explanation = await router.stub.Explain(pick())
    reasons = {row.channel_id: row.reason for row in explanation.considered}
    assert "5 failures in a row" in reasons["a"]
    assert "rate-limited" in reasons["b"]


async def test_routers_tell_each_other(bus: Bus, own_nats: OwnNats, router: Router, start_router: StartRouter) -> None:
    peer = await start_router(own_nats.url)
    async with asyncio.timeout(10):
        await ready(peer)
    failed = Outcome(channel_id="a", model="m", kind=router_pb2.OUTCOME_KIND_CONNECT_FAILED)
    await router.stub.Report(OutcomeBatch(origin="edge", outcomes=[failed] * 4))
    # Its own words must not come back to it: four of them twice would eject.
    marker = Outcome(channel_id="b", model="m", kind=router_pb2.OUTCOME_KIND_RATE_LIMITED, retry_after_ms=60_000)
    await router.stub.Report(OutcomeBatch(origin="edge", outcomes=[marker]))
    await plans_until(peer, lambda plan: ids(plan) == ["a"])
    assert ids(await router.stub.Pick(pick())) == ["a"]
    await peer.stub.Report(OutcomeBatch(origin="edge", outcomes=[failed]))
    await plans_until(router, lambda plan: plan.refusal == "all_cooling")


async def test_only_the_installation_is_answered(router: Router) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{router.process.grpc_port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await RouterStub(channel).Pick(pick())
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_sampled_picks_have_a_span(router: Router) -> None:
    stream = Stream(router)
    await stream.ask(pick(pick_id=1), pick(pick_id=2, traceparent=SAMPLED), pick(pick_id=3, traceparent="nonsense"))
    await router.stub.Pick(pick(model="unknown"), metadata=(*rpc.call_metadata(SECRET), ("traceparent", SAMPLED)))
    telemetry = router.process.telemetry
    assert telemetry is not None

    def arrived() -> bool:
        telemetry.provider.force_flush()
        return len(router.spans.get_finished_spans()) >= 2

    await until(arrived)
    spans: tuple[ReadableSpan, ...] = router.spans.get_finished_spans()
    assert [span.name for span in spans] == ["router pick", "router pick"]
    for span in spans:
        assert span.parent is not None
        assert f"{span.parent.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
        assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert spans[0].attributes is not None
    assert spans[0].attributes["oneapi.channel_id"] == "a"
    assert spans[1].attributes is not None
    assert spans[1].attributes["oneapi.reason"] == "unknown_model"


async def test_draining_ends_streams_in_order(router: Router) -> None:
    streams = [Stream(router) for _ in range(3)]
    for stream in streams:
        await stream.ask(pick())
    await router.process.drain(5.0)
    assert [await stream.read() for stream in streams] == [None] * 3
    assert {await stream.code() for stream in streams} == {grpc.StatusCode.OK}
    status, body = await asyncio.to_thread(get, f"{router.health_url}/readyz")
    assert (status, list(body["missing"])) == (503, ["drain"])


async def test_waits_for_nats_and_outlives_it(stopped_nats: OwnNats, start_router: StartRouter) -> None:
    router = await start_router(stopped_nats.url)
    assert (await asyncio.to_thread(get, f"{router.health_url}/healthz"))[0] == 200
    status, body = await asyncio.to_thread(get, f"{router.health_url}/readyz")
    assert status == 503
    assert "NATS" in body["missing"]["catalog"]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await router.stub.Pick(pick())
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    stream = Stream(router)
    assert await stream.code() is grpc.StatusCode.UNAVAILABLE

    await asyncio.to_thread(stopped_nats.start)
    client = await connect_nats(stopped_nats.url, "test")
    js = client.jetstream()
    await ensure(js)
    await Bus(client, js).publish(make_channel("a"))
    await client.close()
    async with asyncio.timeout(20):
        await ready(router)
    await plans_until(router, lambda plan: ids(plan) == ["a"])

    stopped_nats.kill()
    failed = Outcome(channel_id="a", model="m", kind=router_pb2.OUTCOME_KIND_CLIENT_ERROR)
    await router.stub.Report(OutcomeBatch(origin="edge", outcomes=[failed]))
    assert ids(await router.stub.Pick(pick())) == ["a"]
    assert (await asyncio.to_thread(get, f"{router.health_url}/readyz"))[0] == 200
