from oneapi.catalog.listings import ListedTool, ServerTools
from oneapi.catalog.public.tools import public_tools
from oneapi.catalog.public.view import PublicTool
from oneapi.catalog.types import McpServer


def server(server_id: str, **fields: object) -> McpServer:
    settings: dict[str, object] = {"id": server_id, "name": server_id, "url": "https://secret.example/mcp"}
    return McpServer(**settings | fields)  # type: ignore[arg-type]


def listing(server_id: str, *names: str) -> ServerTools:
    return ServerTools(server_id=server_id, listed_at_ms=7, tools=tuple(ListedTool(name=name) for name in names))


def shown(servers: list[McpServer], *listings: ServerTools) -> dict[str, PublicTool]:
    return {tool.name: tool for tool in public_tools({each.id: each for each in servers}, listings)}


def test_enabled_servers_offer_what_their_lists_allow() -> None:
    servers = [server("a", allow=("read*",), deny=("read_all",)), server("off", enabled=False), server("silent")]
    found = shown(servers, listing("a", "read", "read_all", "write"), listing("off", "x"), listing("unknown", "y"))
    assert list(found) == ["read"]
    assert (found["read"].server_id, found["read"].listed_at_ms) == ("a", 7)


def test_a_price_is_of_this_moment() -> None:
    found = shown([server("a", prices={"paid": 10**10})], listing("a", "paid", "free"))
    assert (found["paid"].usd_per_call, found["free"].usd_per_call) == ("0.01", "0")


def test_a_name_is_offered_once() -> None:
    found = shown([server("a"), server("b", priority=1)], listing("a", "t"), listing("b", "t"))
    assert found["t"].server_id == "b"


def test_what_only_hides_is_taken_out() -> None:
    tool = ListedTool(name="t", title="a\x00b", description="one\ntwo\u202e\ud800\tthree\x1b")
    given = ServerTools(server_id="a", listed_at_ms=0, tools=(tool,))
    (found,) = public_tools({"a": server("a")}, [given])
    assert (found.title, found.description) == ("ab", "one\ntwo\tthree")
