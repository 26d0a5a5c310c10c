"""What tool servers have reaches the bus by itself, and leaves it with them."""

from mcp.server.mcpserver import MCPServer
from nats.js.errors import KeyNotFoundError

from oneapi.catalog import listings
from oneapi.catalog.listings import ServerTools
from tests.integration.admin.gateway import eventually
from tests.integration.mcp.conftest import Bus, StartGateway, StartTools
from tests.integration.own_nats import OwnNats


def server() -> MCPServer:
    made = MCPServer("tools")

    @made.tool(title="Add them")
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    return made


async def test_others_are_told_what_there_is(
    bus: Bus, own_nats: OwnNats, start_gateway: StartGateway, start_tools: StartTools
) -> None:
    tools = await start_tools(server())
    await bus.server("calc", tools.url)
    bucket = await bus.js.key_value("tools")
    await bucket.put("left", b"from before")
    await start_gateway(own_nats.url)
    await start_gateway(own_nats.url)

    async def filed(key: str) -> ServerTools | None:
        try:
            return listings.decode((await bucket.get(key)).value or b"")
        except KeyNotFoundError:
            return None

    async def known() -> bool:
        return await filed("calc") is not None

    await eventually(known)
    found = await filed("calc")
    assert found is not None
    (tool,) = found.tools
    assert (tool.name, tool.title, tool.description) == ("add", "Add them", "Adds two numbers.")
    assert '"a"' in tool.input_schema
    await bus.remove_server("calc")

    async def gone() -> bool:
        try:
            await bucket.get("left")
        except KeyNotFoundError:
            return await filed("calc") is None
        return False

    await eventually(gone)
