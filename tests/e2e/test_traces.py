"""One trace crosses every service: of a request, of a tool call, and of a change of configuration."""

import asyncio
import secrets
from collections.abc import Iterator

import pytest

from tests.e2e.collector import Collector, Span
from tests.e2e.gateway import Gateway, UpstreamServer, eventually
from tests.e2e.tool_server import ToolServer


def new_traceparent() -> tuple[str, str]:
    """A sampled W3C traceparent, and its trace id."""
    trace_id = secrets.token_hex(16)
    return f"00-{trace_id}-{secrets.token_hex(8)}-01", trace_id


def services(spans: list[Span]) -> set[str]:
    return {span.service.removeprefix("oneapi-") for span in spans}


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_is_one_trace_up_to_the_insert(
    gateway: Gateway, upstream: UpstreamServer, collector: Collector, stream: bool
) -> None:
    model = f"traced-{stream}".lower()
    gateway.channel(upstream, {model: "play:tokens=3"})
    key = gateway.key()
    traceparent, trace_id = new_traceparent()
    answer = gateway.client(key).post(
        "/v1/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": "secret words"}], "stream": stream},
        headers={"traceparent": traceparent},
    )
    assert answer.status_code == 200

    def complete(spans: list[Span]) -> bool:
        names = " ".join(span.name for span in spans).lower()
        return {"edge", "router", "billing"} <= services(spans) and "publish" in names and "insert" in names

    spans = collector.wait(trace_id, complete)
    known = {span.span_id for span in spans} | {traceparent.split("-")[2]}
    assert all(span.parent_id in known for span in spans), spans
    text = repr([(span.name, span.attributes) for span in spans])
    assert "secret words" not in text
    assert key not in text
    assert "upstream-credential" not in text
    assert upstream.served(model="play:tokens=3")[-1]["headers"].get("traceparent", "").split("-")[1:2] == [trace_id]
    assert gateway.receipt(key, answer.headers["x-request-id"])["trace_id"] == trace_id


def test_a_change_of_configuration_is_one_trace_up_to_the_edge(gateway: Gateway, collector: Collector) -> None:
    traceparent, trace_id = new_traceparent()
    answer = gateway.admin.put(
        "/api/prices/traced-price", json={"input": "1", "output": "1"}, headers={"traceparent": traceparent}
    )
    assert answer.status_code in {200, 201}
    collector.wait(trace_id, lambda spans: {"admin", "edge"} <= services(spans))


@pytest.fixture
def tools() -> Iterator[ToolServer]:
    server = ToolServer()
    yield server
    server.stop()


async def test_a_tool_call_is_one_trace(gateway: Gateway, collector: Collector, tools: ToolServer) -> None:
    gateway.create("mcp-servers", name="tools", url=tools.url)
    key = gateway.key()
    traceparent, trace_id = new_traceparent()
    headers = {"authorization": f"Bearer {key}", "traceparent": traceparent}
    await asyncio.to_thread(eventually, lambda: "add" in tools.listed_through(gateway.url, key))
    assert await tools.call_through(gateway.url, headers, "add", {"a": 2, "b": 3}) == "5"
    await asyncio.to_thread(collector.wait, trace_id, lambda spans: "mcp" in services(spans))
    assert tools.trace_ids() == {trace_id}
