"""Tools of real servers, listed and called through the gateway by the official client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp.client import Client
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent

from services.mcp import endpoint
from services.mcp.upstream import failures
from tests.integration.mcp.conftest import Bus, Gateway, StartGateway, StartTools, Tools
from tests.integration.own_nats import OwnNats
from tests.ports import free_port

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def calculator(name: str = "calculator") -> MCPServer:
    server: MCPServer = MCPServer(name)

    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    def fail(why: str) -> str:
        """Fails."""
        raise ToolError(why)

    server.add_tool(add)
    server.add_tool(fail)
    return server


def speaker(**words: str) -> MCPServer:
    """A server whose tools say one word each."""
    server: MCPServer = MCPServer("speaker")

    def saying(word: str) -> Callable[[], str]:
        return lambda: word

    for name, word in words.items():
        server.add_tool(saying(word), name=name)
    return server


@pytest.fixture
async def gateway(bus: Bus, own_nats: OwnNats, start_gateway: StartGateway) -> Gateway:
    gateway = await start_gateway(own_nats.url)
    await gateway.ready()
    return gateway


async def names(gateway: Gateway, key: str) -> list[str]:
    async with gateway.client(key) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


async def becomes(question: Callable[[], Awaitable[Any]], wanted: object) -> None:
    async with asyncio.timeout(15):
        while True:
            if await question() == wanted:
                return
            await asyncio.sleep(0.05)


async def names_become(gateway: Gateway, key: str, wanted: list[str]) -> None:
    await becomes(lambda: names(gateway, key), wanted)


async def said(client: Client, tool: str, arguments: dict[str, Any] | None = None) -> str:
    content = (await client.call_tool(tool, arguments or {})).content[0]
    assert isinstance(content, TextContent)
    return content.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("options", [{"stateless_http": True, "json_response": True}, {"stateless_http": True}, {}])
async def test_tools_are_listed_and_called(
    bus: Bus, gateway: Gateway, start_tools: StartTools, mode: str, options: dict[str, bool]
) -> None:
    tools = await start_tools(calculator(), **options)
    await bus.server("calc", tools.url)
    key = await bus.key()
    await names_become(gateway, key, ["add", "fail"])
    async with gateway.client(key, mode) as client:
        listed = (await client.list_tools()).tools
        assert listed[0].description == "Adds two numbers."
        assert set(listed[0].input_schema["properties"]) == {"a", "b"}
        result = await client.call_tool("add", {"a": 2, "b": 3})
        assert (result.structured_content, result.is_error) == ({"result": 5}, False)
        failed = await client.call_tool("fail", {"why": "because"})
        assert failed.is_error
        assert (await said(client, "fail", {"why": "because"})).endswith("because")
        wrong = await client.call_tool("add", {"a": "x"})
        assert wrong.is_error


async def test_catalog_changes_are_followed(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    tools = await start_tools(speaker(one="1", two="2", three="3"))
    key = await bus.key()
    assert await names(gateway, key) == []
    await bus.server("s", tools.url)
    await names_become(gateway, key, ["one", "three", "two"])
    await bus.server("s", tools.url, deny=("two",))
    await names_become(gateway, key, ["one", "three"])
    await bus.server("s", tools.url, allow=("t*",), deny=("two",))
    await names_become(gateway, key, ["three"])
    async with gateway.client(key) as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("one", {})
        assert refused.value.code == -32602
    await bus.server("s", tools.url, enabled=False)
    await names_become(gateway, key, [])
    await bus.server("s", tools.url)
    await names_become(gateway, key, ["one", "three", "two"])
    await bus.remove_server("s")
    await names_become(gateway, key, [])


async def test_key_sees_and_calls_only_its_tools(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    tools = await start_tools(speaker(one="1", two="2"))
    await bus.server("s", tools.url)
    key = await bus.key(tools=("one",))
    await names_become(gateway, key, ["one"])
    async with gateway.client(key) as client:
        assert await said(client, "one") == "1"
        for name in ("two", "ONE", "one ", "\uff4fne", "nowhere"):
            with pytest.raises(MCPError) as refused:
                await client.call_tool(name, {})
            assert refused.value.code == endpoint.TOOL_NOT_ALLOWED
    assert await names(gateway, await bus.key(tools=())) == []
    assert [method for method, _ in tools.seen].count("tools/call") == 1


async def test_priority_decides_who_has_a_name(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    low = await start_tools(speaker(search="low", only_low="low"))
    high = await start_tools(speaker(search="high", only_high="high"))
    await bus.server("a-low", low.url, priority=1)
    await bus.server("b-high", high.url, priority=2)
    key = await bus.key()
    await names_become(gateway, key, ["only_high", "only_low", "search"])
    async with gateway.client(key) as client:
        assert [await said(client, name) for name in ("search", "only_low", "only_high")] == ["high", "low", "high"]
        await bus.server("b-high", high.url, priority=0)
        await becomes(lambda: said(client, "search"), "low")
        await bus.server("b-high", high.url, priority=2)
        await becomes(lambda: said(client, "search"), "high")
        # Among equals the first name.
        await bus.server("b-high", high.url, priority=1)
        await becomes(lambda: said(client, "search"), "low")


async def test_a_server_that_is_gone_keeps_its_names(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    high = await start_tools(speaker(search="high"))
    low = await start_tools(speaker(search="low", other="other"))
    await bus.server("high", high.url, priority=2)
    await bus.server("low", low.url)
    key = await bus.key()
    await names_become(gateway, key, ["other", "search"])
    await high.stop()
    async with gateway.client(key) as client:
        with pytest.raises(MCPError) as failed:
            await client.call_tool("search", {})
        assert (failed.value.code, failed.value.message) == (
            failures.UNREACHABLE,
            "The tool server 'high' can't be reached.",
        )
        assert await said(client, "other") == "other"


async def test_a_dead_server_does_not_hide_the_others(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    tools = await start_tools(speaker(one="1"))
    await bus.server("dead", f"http://127.0.0.1:{free_port()}/mcp", priority=9)
    await bus.server("s", tools.url)
    await names_become(gateway, await bus.key(), ["one"])


@pytest.mark.parametrize("options", [{"stateless_http": True}, {}])
async def test_upstream_gets_its_own_credential_and_never_the_callers(
    bus: Bus, gateway: Gateway, start_tools: StartTools, options: dict[str, bool]
) -> None:
    tools = await start_tools(calculator(), **options)
    headers = bus.sealed_header("calc", "x-tenant", "tenant-1")
    await bus.server("calc", tools.url, auth_sealed=bus.sealed_auth("calc", "their-token"), headers_sealed=headers)
    key = await bus.key()
    await names_become(gateway, key, ["add", "fail"])
    leaks = {"x-api-key": key, "cookie": "session=1", "x-forwarded-for": "1.2.3.4", "x-custom": "mine"}
    async with gateway.client(key, **leaks) as client:
        await client.call_tool("add", {"a": 1, "b": 1})
    assert tools.headers_of("tools/call")
    for _, seen in tools.seen:
        assert seen["authorization"] == "Bearer their-token"
        assert seen["x-tenant"] == "tenant-1"
        assert not {"cookie", "x-api-key", "x-custom", "x-forwarded-for", "x-request-id"} & seen.keys()
        assert key not in str(seen)


async def test_a_credential_of_another_place_is_not_used(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    tools = await start_tools(calculator())
    await bus.server("calc", tools.url, auth_sealed=bus.sealed_auth("another", "their-token"))
    assert await names(gateway, await bus.key()) == []
    assert tools.seen == []


@pytest.mark.parametrize("options", [{"stateless_http": True}, {}])
async def test_traces_go_through(bus: Bus, gateway: Gateway, start_tools: StartTools, options: dict[str, bool]) -> None:
    tools = await start_tools(calculator(), **options)
    await bus.server("calc", tools.url)
    key = await bus.key()
    await names_become(gateway, key, ["add", "fail"])
    async with gateway.client(key, traceparent=SAMPLED) as client:
        await client.call_tool("add", {"a": 1, "b": 1})
    telemetry = gateway.process.telemetry
    assert telemetry is not None
    telemetry.provider.force_flush()
    (span,) = gateway.spans.get_finished_spans()
    assert span.name == "mcp tools/call"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.attributes is not None
    assert span.attributes["gen_ai.tool.name"] == "add"
    assert span.attributes["oneapi.mcp_server_id"] == "calc"
    assert span.context is not None
    (sent,) = tools.headers_of("tools/call")
    assert sent["traceparent"] == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"
    async with gateway.client(key, traceparent=UNSAMPLED) as client:
        await client.call_tool("add", {"a": 1, "b": 1})
    assert tools.headers_of("tools/call")[1]["traceparent"] == UNSAMPLED
    telemetry.provider.force_flush()
    assert len(gateway.spans.get_finished_spans()) == 1


async def test_a_name_that_no_tool_has_is_in_no_span(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    tools = await start_tools(calculator(), stateless_http=True)
    await bus.server("calc", tools.url)
    key = await bus.key()
    await names_become(gateway, key, ["add", "fail"])
    async with gateway.client(key, traceparent=SAMPLED) as client:
        with pytest.raises(MCPError):
            await client.call_tool("what somebody typed", {})
    telemetry = gateway.process.telemetry
    assert telemetry is not None
    telemetry.provider.force_flush()
    (span,) = gateway.spans.get_finished_spans()
    assert "what somebody typed" not in repr(span.attributes)


async def test_answers_of_concurrent_callers_are_not_mixed(bus: Bus, gateway: Gateway, start_tools: StartTools) -> None:
    tools = await start_tools(calculator(), stateless_http=True)
    await bus.server("calc", tools.url)
    key = await bus.key()
    await names_become(gateway, key, ["add", "fail"])

    async def ask(number: int) -> None:
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "add", "arguments": {"a": number, "b": 1000}},
        }
        response = await gateway.post(body, authorization=f"Bearer {key}")
        assert response.status_code == 200
        assert f'"result":{number + 1000}' in response.text

    await asyncio.gather(*(ask(number) for number in range(40)))


async def test_private_addresses_are_refused_unless_allowed(
    bus: Bus, own_nats: OwnNats, start_gateway: StartGateway, start_tools: StartTools
) -> None:
    tools: Tools = await start_tools(calculator())
    await bus.server("plain", tools.url)
    await bus.server("tls", tools.url.replace("http:", "https:"))
    strict = await start_gateway(own_nats.url, allow_private_upstreams=False)
    await strict.ready()
    assert await names(strict, await bus.key()) == []
    assert tools.seen == []
