"""An edge that drains, loses what it depends on, and is asked for more than it can do."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator

import httpx2
import pytest

from oneapi.runtime.relay_keys import mint
from tests.e2e.collector import Collector
from tests.integration.edge.stage import Stage, eventually

MESSAGES = [{"role": "user", "content": "hi"}]
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def collector() -> Collector:
    return Collector()


@pytest.fixture(scope="module")
async def lone(redis_url: str, collector: Collector) -> AsyncIterator[Stage]:
    """A stage whose edge the tests may stop, with short limits."""
    environment = {
        "ONEAPI_MAX_IN_FLIGHT": "6",
        "ONEAPI_DRAIN_SECONDS": "4",
        "ONEAPI_ROUTER_GRACE_SECONDS": "2.5",
        "ONEAPI_TRACE_SAMPLE": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
    }
    stage = Stage(redis_url, environment)
    try:
        await stage.start()
        yield stage
    finally:
        await stage.stop()
        collector.stop()


async def ask(stage: Stage, key: str, model: str, *, stream: bool = False) -> httpx2.Response:
    async with stage.http(key) as http:
        return await http.post(
            "/v1/chat/completions", json={"model": model, "messages": MESSAGES, "stream": stream, "max_tokens": 9}
        )


async def test_more_than_it_can_do(lone: Stage) -> None:
    await lone.channel({"slow": "play:first_byte_ms=800"})
    key = await lone.key()
    answers = await asyncio.gather(*(ask(lone, key, "slow") for _ in range(20)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 6
    shed = next(answer for answer in answers if answer.status_code == 503)
    assert shed.json()["error"]["code"] == "overloaded"
    assert shed.headers.get("connection") != "close"
    assert int(shed.headers["retry-after"]) >= 1
    async with lone.http() as http:
        assert (await http.get("/healthz")).status_code == 200


async def test_a_connection_outlives_what_is_shed_on_it(lone: Stage) -> None:
    await lone.channel({"slower": "play:first_byte_ms=3000"})
    key = await lone.key()
    body = json.dumps({"model": "slower", "messages": MESSAGES}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", lone.port)

    async def answer() -> bytes:
        writer.write(head.encode() + body[:9])
        await writer.drain()
        writer.write(body[9:])
        received = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", received)
        assert length is not None
        return received + await reader.readexactly(int(length[1]))

    async def full() -> bool:
        return [pick.model for pick in lone.router.picks].count("slower") == 6

    crowd = [asyncio.ensure_future(ask(lone, key, "slower")) for _ in range(6)]
    await eventually(full)
    assert b" 503 " in await answer()
    await asyncio.gather(*crowd)
    assert b" 200 " in await answer()
    writer.close()


async def test_picks_travel_together(lone: Stage) -> None:
    await lone.channel({"quick": "play:tokens=1"})
    key = await lone.key()
    answers = await asyncio.gather(*(ask(lone, key, "quick") for _ in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert all(pick.pick_id for pick in lone.router.picks)


async def test_one_trace_with_nothing_private_in_it(lone: Stage, collector: Collector) -> None:
    channel = await lone.channel({"traced": "play:tokens=2"})
    key = await lone.key()
    traceparent = f"00-{TRACE_ID}-b7ad6b7169203331-01"
    async with lone.http(key) as http:
        answer = await http.post(
            "/v1/chat/completions",
            json={"model": "traced", "messages": [{"role": "user", "content": "secret words"}]},
            headers={"traceparent": traceparent},
        )
    assert answer.status_code == 200
    event = await lone.event(answer.headers["x-request-id"])
    assert event.trace_id == TRACE_ID
    pick = lone.router.picks[-1]
    assert pick.traceparent.split("-")[1] == TRACE_ID
    upstream = lone.upstream.served(model="play:tokens=2")[-1]["headers"]
    told = {name.lower(): value for name, value in upstream.items()}["traceparent"]
    spans = await asyncio.to_thread(
        collector.wait, TRACE_ID, lambda spans: {"edge request", "edge upstream"} <= {span.name for span in spans}
    )
    by_name = {span.name: span for span in spans}
    request, call = by_name["edge request"], by_name["edge upstream"]
    assert request.parent_id == "b7ad6b7169203331"
    assert call.parent_id == request.span_id == pick.traceparent.split("-")[2] == event.traceparent.split("-")[2]
    assert told.split("-")[2] == call.span_id
    assert request.attributes["oneapi.channel_id"] == channel.id
    assert request.attributes["gen_ai.request.model"] == "traced"
    text = repr([(span.name, span.attributes) for span in spans])
    for private in ("secret words", key, "upstream-credential"):
        assert private not in text


async def test_without_a_trace_there_are_no_spans(lone: Stage, collector: Collector) -> None:
    await lone.channel({"untraced": "play:tokens=2"})
    key = await lone.key()
    assert (await ask(lone, key, "untraced")).status_code == 200
    assert not collector.find(lambda span: span.attributes.get("gen_ai.request.model") == "untraced")


async def test_a_router_that_is_away_for_a_moment(lone: Stage) -> None:
    await lone.channel({"planned": "play:tokens=1", "unplanned": "play:tokens=1"})
    key = await lone.key()
    assert (await ask(lone, key, "planned")).status_code == 200
    await lone.router_server.stop(None)
    assert (await ask(lone, key, "planned")).status_code == 200
    refused = await ask(lone, key, "unplanned")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "router_unavailable")

    async def over() -> bool:
        return (await ask(lone, key, "planned")).status_code == 503

    await eventually(over, 6)

    async def missed() -> bool:
        async with lone.http() as http:
            answer = await http.get("/readyz")
        return answer.status_code == 503 and "router" in answer.json()["missing"]

    await eventually(missed)
    await lone.start_router()
    await eventually(lone.ready)
    assert (await ask(lone, key, "unplanned")).status_code == 200


async def test_a_router_that_says_nothing(lone: Stage) -> None:
    await lone.channel({"mute": "play:tokens=1"})
    key = await lone.key()
    lone.router.silent = True
    try:
        began = time.monotonic()
        assert (await ask(lone, key, "mute")).status_code == 503
        assert time.monotonic() - began < 5
        assert (await ask(lone, key, "quick")).status_code == 200
    finally:
        lone.router.silent = False


async def test_a_bus_that_is_away(lone: Stage) -> None:
    await lone.channel({"busless": "play:tokens=1"})
    key = await lone.key()
    assert (await ask(lone, key, "busless")).status_code == 200
    lone.nats.kill()
    try:
        served = [await ask(lone, key, "busless", stream=stream) for stream in (False, True, False)]
        assert [answer.status_code for answer in served] == [200] * 3
        assert await lone.ready()
        unknown = await ask(lone, mint(), "busless")
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (503, "keys_unavailable")
    finally:
        lone.nats.start()
    for answer in served:
        event = await lone.event(answer.headers["x-request-id"])
        assert (event.outcome, event.evidence) == ("ok", "provider")


async def test_draining(lone: Stage) -> None:
    """Runs last: a short stream finishes, a long one ends in an error event with its bill, nothing new comes in."""
    await lone.channel({"short": "play:tokens=40,gap_ms=25", "long": "play:tokens=4000,gap_ms=25"})
    key = await lone.key()
    async with lone.http(key) as idle:
        assert (await idle.get("/v1/models")).status_code == 200
        streams = [asyncio.ensure_future(ask(lone, key, model, stream=True)) for model in ("short", "long")]

        async def streaming() -> bool:
            return {"short", "long"} <= {pick.model for pick in lone.router.picks}

        await eventually(streaming)
        stopping = asyncio.ensure_future(lone.stop_edge())

        async def refused() -> bool:
            try:
                answer = await idle.get("/v1/models")
            except httpx2.TransportError:
                return False
            return answer.status_code == 503 and answer.headers["connection"] == "close"

        await eventually(refused, 2)
        short, long = await asyncio.gather(*streams)
    took = await stopping
    assert took < 6
    assert short.text.endswith("data: [DONE]\n\n")
    assert "server_shutdown" in long.text
    assert "[DONE]" not in long.text
    ends = [await lone.event(answer.headers["x-request-id"]) for answer in (short, long)]
    assert [(end.outcome, end.evidence) for end in ends] == [("ok", "provider"), ("upstream_cut", "counted")]
    assert ends[1].usage["output"] == long.text.count('" tok"')
    assert lone.process is not None
    assert lone.process.returncode == 0
