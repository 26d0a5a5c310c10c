from types import SimpleNamespace
from typing import Any

from nats.js.kv import KV_DEL

from oneapi.catalog.listings import ListedTool, ServerTools, encode
from services.admin.publishing.tool_listings import ToolListings, _read


def listing(server_id: str, *names: str) -> ServerTools:
    return ServerTools(server_id=server_id, listed_at_ms=1, tools=tuple(ListedTool(name=name) for name in names))


def entry(key: str, value: bytes = b"", operation: str | None = None) -> Any:
    return SimpleNamespace(key=key, value=value, operation=operation)


def test_what_an_entry_says() -> None:
    given = listing("a", "t")
    assert _read(entry("a", encode(given))) == ("a", given)
    assert _read(entry("a", operation=KV_DEL)) == ("a", None)
    assert _read(entry("a", b"broken")) is None
    assert _read(entry("b", encode(given))) is None


def test_the_same_object_until_something_changes() -> None:
    listings = ToolListings()
    listings._loaded([("b", listing("b")), ("a", listing("a"))])
    first = listings.known
    assert [each.server_id for each in first] == ["a", "b"]
    listings._loaded([("a", listing("a")), ("b", listing("b"))])
    listings._changed(("a", listing("a")))
    assert listings.known is first
    listings._changed(("a", listing("a", "t")))
    assert [len(each.tools) for each in listings.known] == [1, 0]
    listings._changed(("b", None))
    assert [each.server_id for each in listings.known] == ["a"]
    listings._loaded([])
    assert listings.known == ()


def test_a_server_that_goes_while_all_are_read_is_gone() -> None:
    listings = ToolListings()
    listings._loaded([("a", listing("a")), ("b", listing("b")), ("a", None)])
    assert [each.server_id for each in listings.known] == ["b"]
