import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from mcp_types import CallToolResult, Tool

from oneapi.catalog.types import McpServer
from services.mcp.directory import FRESH_S, RETRY_S, ToolDirectory
from services.mcp.upstream.failures import UpstreamFailure
from tests.unit.services.mcp.arrangements import make_server, make_tool


class FakeServer:
    """A tool server in memory."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self.tools: tuple[Tool, ...] = (make_tool(f"of_{server.id}"),)
        self.down = False
        self.asked = 0
        self.closed = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def is_called_like(self, other: McpServer) -> bool:
        return self.server.url == other.url

    async def list_tools(self) -> tuple[Tool, ...]:
        self.asked += 1
        await self.may_answer.wait()
        if self.down:
            raise UpstreamFailure(-1, "unreachable", "down")
        return self.tools

    async def call_tool(self, tool: Tool, arguments: dict[str, Any] | None, **_: Any) -> CallToolResult:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True


class Bench:
    """A directory of fake servers, with a clock and a catalog that the test changes."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.configured: Mapping[str, McpServer] = {}
        self.made: list[FakeServer] = []
        self.told: dict[str, list[str] | None] = {}
        self.directory = ToolDirectory(
            lambda: self.configured, self._connect, lambda: self.now, linger_s=0.0, listener=self
        )

    def has(self, server_id: str, tools: tuple[Tool, ...]) -> None:
        self.told[server_id] = [tool.name for tool in tools]

    def gone(self, server_id: str) -> None:
        self.told[server_id] = None

    def _connect(self, server: McpServer) -> FakeServer:
        fake = FakeServer(server)
        self.made.append(fake)
        return fake

    def configure(self, *servers: McpServer) -> None:
        self.configured = {server.id: server for server in servers}
        self.directory.follow()

    async def names(self) -> list[str]:
        return list((await self.directory.tools()).offers)

    async def settle(self) -> None:
        """Lets what was started in the background come to its end."""
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.directory.close()


async def test_the_first_request_waits_for_the_first_answer(bench: Bench) -> None:
    bench.configure(make_server("a"), make_server("off", enabled=False))
    bench.made[0].may_answer.clear()
    asking = asyncio.create_task(bench.names())
    await bench.settle()
    assert not asking.done()
    bench.made[0].may_answer.set()
    assert await asking == ["of_a"]
    assert len(bench.made) == 1


async def test_a_list_is_used_while_it_is_refreshed(bench: Bench) -> None:
    bench.configure(make_server("a"))
    assert await bench.names() == ["of_a"]
    (server,) = bench.made
    bench.now += FRESH_S - 1
    assert await bench.names() == ["of_a"]
    assert server.asked == 1
    bench.now += 1
    server.tools = (make_tool("new"),)
    server.may_answer.clear()
    assert await bench.names() == ["of_a"]
    server.may_answer.set()
    await bench.settle()
    assert await bench.names() == ["new"]
    assert server.asked == 2


async def test_a_server_that_fails_keeps_its_last_list(bench: Bench) -> None:
    bench.configure(make_server("a"))
    await bench.names()
    (server,) = bench.made
    server.down = True
    for _ in range(3):
        bench.now += FRESH_S
        assert await bench.names() == ["of_a"]
        await bench.settle()
    assert server.asked == 4


async def test_a_server_that_never_answered_is_asked_again_soon_without_a_wait(bench: Bench) -> None:
    bench.configure(make_server("a"), make_server("b"))
    bench.made[0].down = True
    assert await bench.names() == ["of_b"]
    bench.now += RETRY_S - 1
    assert await bench.names() == ["of_b"]
    assert bench.made[0].asked == 1
    bench.now += 1
    bench.made[0].down = False
    bench.made[0].may_answer.clear()
    assert await bench.names() == ["of_b"]
    bench.made[0].may_answer.set()
    await bench.settle()
    assert await bench.names() == ["of_a", "of_b"]


async def test_a_name_that_is_not_known_is_asked_for_at_most_so_often(bench: Bench) -> None:
    bench.configure(make_server("a"))
    await bench.names()
    (server,) = bench.made
    server.tools = (make_tool("new"),)
    assert "new" not in (await bench.directory.tools_with("new")).offers
    assert server.asked == 1, "its list is younger than 5 s"
    bench.now += RETRY_S
    assert "new" in (await bench.directory.tools_with("new")).offers
    for _ in range(10):
        await bench.directory.tools_with("nowhere")
    assert server.asked == 2


async def test_another_address_is_another_server(bench: Bench) -> None:
    bench.configure(make_server("a"))
    await bench.names()
    bench.configure(make_server("a", priority=7, deny=("of_a",)))
    assert await bench.names() == []
    assert len(bench.made) == 1, "what it is called with is the same"
    bench.configure(make_server("a", url="https://elsewhere.example/mcp"))
    assert await bench.names() == ["of_a"]
    assert bench.directory.server("a") is bench.made[1]
    await bench.settle()
    assert bench.made[0].closed
    assert not bench.made[1].closed


async def test_removed_and_disabled_servers_are_forgotten(bench: Bench) -> None:
    bench.configure(make_server("a"), make_server("b"))
    await bench.names()
    bench.configure(make_server("b", enabled=False))
    assert await bench.names() == []
    assert bench.directory.server("a") is None
    assert bench.directory.server("b") is None
    await bench.settle()
    assert [server.closed for server in bench.made] == [True, True]


async def test_a_removed_server_is_not_waited_for(bench: Bench) -> None:
    bench.configure(make_server("a"))
    bench.made[0].may_answer.clear()
    asking = asyncio.create_task(bench.names())
    await bench.settle()
    bench.configure()
    assert await asking == []


async def test_who_wants_to_know_is_told_what_servers_have(bench: Bench) -> None:
    bench.configure(make_server("a"), make_server("b"))
    await bench.names()
    assert bench.told == {"a": ["of_a"], "b": ["of_b"]}
    bench.made[0].tools = (make_tool("new"),)
    bench.now += FRESH_S
    bench.directory.follow()
    await bench.settle()
    assert bench.told["a"] == ["new"]
    bench.configure(make_server("a", enabled=False))
    assert bench.told == {"a": ["new"], "b": None}
