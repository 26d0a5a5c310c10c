import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oneapi.catalog.listings import (
    ANY_OBJECT,
    MAX_DESCRIPTION,
    MAX_ENTRY,
    MAX_NAME,
    MAX_SCHEMA,
    BadListing,
    ListedTool,
    ServerTools,
    bounded,
    decode,
    encode,
)


def listing(*tools: ListedTool) -> ServerTools:
    return ServerTools(server_id="mcp_1", listed_at_ms=5, tools=tools)


def test_a_listing_travels() -> None:
    given = listing(ListedTool(name="a\u2028", title="t", description="d", input_schema="{}"))
    assert decode(encode(given)) == given


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"server_id":1}', b"[" * 100_000])
def test_what_is_no_listing(data: bytes) -> None:
    with pytest.raises(BadListing):
        decode(data)


def test_a_newer_writer_may_say_more() -> None:
    assert decode(b'{"server_id":"s","listed_at_ms":1,"tools":[{"name":"a","more":1}],"more":2}').tools[0].name == "a"


def test_what_is_kept_of_a_tool() -> None:
    tool = ListedTool(name="n", title="t" * 999, description="d" * 9_999, input_schema=f'{{"x":"{"y" * MAX_SCHEMA}"}}')
    (kept,) = bounded([tool])
    assert (kept.name, len(kept.title), len(kept.description)) == ("n", MAX_NAME, MAX_DESCRIPTION)
    assert kept.input_schema == ANY_OBJECT


def test_a_name_is_never_cut() -> None:
    names = ["", "x" * MAX_NAME, "x" * (MAX_NAME + 1), "b"]
    assert [tool.name for tool in bounded(ListedTool(name=name) for name in names)] == ["x" * MAX_NAME, "b"]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2_000), st.sampled_from(["a", "\u00e9", "\n", "\U0001f600"]))
def test_an_entry_is_bounded(count: int, filler: str) -> None:
    tools = [ListedTool(name=f"t{n}", description=filler * 5_000) for n in range(count)]
    kept = bounded(tools)
    assert [tool.name for tool in kept] == [tool.name for tool in tools[: len(kept)]]
    assert len(encode(listing(*kept))) <= MAX_ENTRY + 200
    assert len(kept) == count or len(encode(listing(*kept))) > MAX_ENTRY - 20_000
