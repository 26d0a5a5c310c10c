"""Tool servers that misbehave: the caller gets one clear error, and nothing of what should stay inside."""

import asyncio
import gzip
import io
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from oneapi.runtime import logs
from oneapi.runtime.metrics import REGISTRY
from services.mcp.upstream import failures
from tests.integration.mcp import rogue as replies
from tests.integration.mcp.conftest import Bus, Gateway, StartGateway
from tests.integration.mcp.rogue import JSON, SSE, Reply, Rogue
from tests.integration.own_nats import OwnNats, until

SECRET = "sk-proj-0123456789abcdef0123456789abcdef"
BIG = 5 * 1024 * 1024
PADDING = b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n'


@pytest.fixture
async def rogue() -> AsyncIterator[Rogue]:
    server = Rogue()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def gateway(bus: Bus, own_nats: OwnNats, start_gateway: StartGateway, rogue: Rogue) -> Gateway:
    """A gateway that knows the server's tool already."""
    await bus.server("rogue", rogue.url, auth_sealed=bus.sealed_auth("rogue", SECRET))
    gateway = await start_gateway(own_nats.url, call_limit_s=2.0)
    await gateway.ready()
    await until(lambda: "t" in gateway.process.directory.known().offers)
    return gateway


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the gateway logs, as it does in a process of its own."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    logs.configure("mcp", "info", stream=written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_what_servers_say_is_in_no_log(bus: Bus, gateway: Gateway, rogue: Rogue, log: io.StringIO) -> None:
    canary = "canary-4711"
    session = (b"mcp-session-id", canary.encode())
    for reply in (
        replies.answer_raw(200, b'{"jsonrpc":"2.0","id":"%s","result":7}' % canary.encode(), JSON, session),
        replies.answer_raw(200, canary.encode(), JSON),
        replies.answer_raw(200, b"data: %s\n\n" % canary.encode(), SSE),
        replies.answer_raw(200, b"event: %s\ndata: {}\n\n" % canary.encode(), SSE),
        replies.answer_raw(200, b"x", (b"content-type", canary.encode())),
        replies.answer_raw(302, b"", (b"location", b"https://%s.example/" % canary.encode())),
        replies.answer_raw(500, canary.encode(), (b"x-a", canary.encode())),
        replies.answer_error(-32602, f"at https://{canary}.example/ for org-{canary}0123456789"),
    ):
        await failure(bus, gateway, rogue, reply)
    assert "a tool server failed" in log.getvalue()
    assert canary not in log.getvalue()


async def failure(bus: Bus, gateway: Gateway, rogue: Rogue, reply: Reply) -> MCPError:
    rogue.on_call = reply
    async with gateway.client(await bus.key(), mode="legacy") as client:
        with pytest.raises(MCPError) as failed:
            await client.call_tool("t", {})
    assert SECRET not in str(failed.value.error)
    assert "127.0.0.1" not in str(failed.value.error)
    return failed.value


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (replies.answer_text("x" * BIG), failures.RESULT_TOO_LARGE),
        (replies.answer_endless(JSON, b" " * 65_536), failures.RESULT_TOO_LARGE),
        (replies.answer_endless(SSE, PADDING * 100), failures.RESULT_TOO_LARGE),
        (replies.answer_endless(SSE, b": keep-alive\n\n" * 4_000), failures.RESULT_TOO_LARGE),
        (replies.answer_raw(200, gzip.compress(b" " * BIG), JSON, (b"content-encoding", b"gzip")), failures.BAD_ANSWER),
        (replies.answer_never(), failures.TIMED_OUT),
        (replies.answer_raw(307, b"", (b"location", b"/elsewhere")), failures.NOT_ALLOWED),
        (replies.answer_raw(302, b"", (b"location", b"http://169.254.169.254/")), failures.NOT_ALLOWED),
        (replies.answer_raw(401, b'{"error":"no"}', JSON), failures.CREDENTIAL_REFUSED),
        (replies.answer_raw(403, b"go away"), failures.CREDENTIAL_REFUSED),
        (replies.answer_raw(500, b"<html>stack trace</html>", (b"content-type", b"text/html")), failures.UNREACHABLE),
        (replies.answer_raw(200, b"<html>", (b"content-type", b"text/html")), failures.BAD_ANSWER),
        (replies.answer_raw(200, b'{"secret": "in an answer"', JSON), failures.BAD_ANSWER),
        (replies.answer_raw(200, b"[" * 100_000, JSON), failures.BAD_ANSWER),
        (replies.answer_raw(200, b"data: {}\n\n", SSE), failures.BAD_ANSWER),
        (replies.answer_raw(202, b""), failures.BAD_ANSWER),
        (replies.answer_result({"content": "no list"}), failures.BAD_ANSWER),
        (replies.answer_result({"resultType": "input_required", "requestState": "x"}), failures.BAD_ANSWER),
    ],
    ids=[
        "large", "endless json", "endless notifications", "endless comments", "compressed", "silent", "redirect",
        "redirect inside", "401", "403", "500", "html", "cut", "deep", "no message", "202", "invalid", "wants input",
    ],
)  # fmt: skip
async def test_failures_are_told_apart(bus: Bus, gateway: Gateway, rogue: Rogue, reply: Reply, code: int) -> None:
    told = await failure(bus, gateway, rogue, reply)
    assert told.code == code, told.message
    assert "rogue" in told.message
    assert "secret" not in told.message
    rogue.on_call = replies.answer_text("fine")
    async with gateway.client(await bus.key(), mode="legacy") as client:
        assert not (await client.call_tool("t", {})).is_error, "the next call is well"


@pytest.mark.parametrize("status", [200, 400])
async def test_servers_own_error_is_passed_on_without_secrets(
    bus: Bus, gateway: Gateway, rogue: Rogue, status: int
) -> None:
    told = await failure(bus, gateway, rogue, replies.answer_error(-32602, f"bad key {SECRET}", status))
    assert told.code == -32602
    assert told.message.startswith("bad key [redacted]")
    assert told.error.data is None


async def test_largest_allowed_result_arrives(bus: Bus, gateway: Gateway, rogue: Rogue) -> None:
    rogue.on_call = replies.answer_text("x" * (4 * 1024 * 1024 - 200))
    async with gateway.client(await bus.key(), mode="legacy") as client:
        assert not (await client.call_tool("t", {})).is_error


async def test_nothing_in_a_result_is_interpreted(bus: Bus, gateway: Gateway, rogue: Rogue) -> None:
    evil = "\n\nevent: message\ndata: {}\n\n\x1b[31m\u2028<script>"
    meta = {"io.modelcontextprotocol/serverInfo": {"name": "somebody"}, "vendor": 1}
    rogue.on_call = replies.answer_result({"content": [{"type": "text", "text": evil}], "_meta": meta})
    async with gateway.client(await bus.key()) as client:
        result: Any = await client.call_tool("t", {})
    assert result.content[0].text == evil
    assert result.meta["vendor"] == 1
    assert result.meta["io.modelcontextprotocol/serverInfo"]["name"] == "example.gateway/gateway"


META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
MODERN = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "t"}


def calls_done() -> float:
    return REGISTRY.get_sample_value("oneapi_tool_calls_total", {"server": "rogue", "outcome": "ok"}) or 0.0


@pytest.mark.parametrize(
    ("headers", "meta", "ends"), [(MODERN, META, True), ({}, {}, False)], ids=["2026-07-28", "before"]
)
async def test_a_caller_that_leaves_ends_the_call_since_the_revision_that_says_so(
    bus: Bus, gateway: Gateway, rogue: Rogue, headers: dict[str, str], meta: dict[str, Any], ends: bool
) -> None:
    answered = asyncio.Event()

    async def slowly(send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        await asyncio.wait_for(answered.wait(), 5)
        await replies.answer_text("fine")(send, id)

    rogue.on_call = slowly
    key = await bus.key()
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "_meta": meta}}
    call = asyncio.create_task(gateway.post(body, authorization=f"Bearer {key}", **headers))
    await until(lambda: "tools/call" in rogue.requests)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    if ends:
        await until(rogue.gone.is_set, 4)
        return
    # The connection's end has been noticed by the time that another request over a new one has been answered.
    assert (await gateway.get("/healthz")).status_code == 200
    assert not rogue.gone.is_set()
    before = calls_done()
    answered.set()
    await until(lambda: calls_done() == before + 1)


async def test_server_is_not_listened_to(bus: Bus, gateway: Gateway, rogue: Rogue) -> None:
    async with gateway.client(await bus.key()) as client:
        await client.call_tool("t", {})
    assert "GET" not in rogue.requests


async def test_too_many_tools_and_pages_are_cut(bus: Bus, gateway: Gateway, rogue: Rogue) -> None:
    tools = [{"name": f"t{number}", "inputSchema": {"type": "object"}} for number in range(100)]
    rogue.on_list = replies.answer_result({"tools": tools, "nextCursor": "for ever"})
    await bus.server("again", rogue.url)
    await until(lambda: "t99" in gateway.process.directory.known().offers)
    assert rogue.requests.count("tools/list") < 60
