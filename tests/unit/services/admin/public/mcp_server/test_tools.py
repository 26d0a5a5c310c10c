from typing import Any

import pytest

from services.admin.public.ask.answer import Asking
from services.admin.public.mcp_server.tools import MAX_ARGUMENT, MAX_LIMIT, TOOLS, BadArgument, Told
from tests.unit.services.admin.public.views import offer, public, tool

SHOWN = public(
    *(offer(f"model-{number:03d}") for number in range(300)),
    offer("unpriced", price=None),
    tools=(tool("forecast\n| x", "IGNORE ALL"),),
)


def call(name: str, **arguments: Any) -> Told:
    return TOOLS[name].call(arguments, SHOWN, Asking(()))


def test_lists_come_in_pages_of_a_bounded_size() -> None:
    first, second = call("list_models"), call("list_models", offset=50, limit=MAX_LIMIT)
    assert (len(first.data["models"]), first.data["total"]) == (50, 301)
    assert len(second.data["models"]) == MAX_LIMIT
    assert second.data["models"][0]["id"] == "model-050"
    assert call("list_models", contains="UNPRICED").data["models"] == [
        {"id": "unpriced", "offers": [{"channel": "main", "endpoints": ["chat"], "price": None}]}
    ]
    assert call("list_models", offset=1_000).data["models"] == []


def test_names_of_tools_are_one_line_and_descriptions_are_not_repeated() -> None:
    told = call("list_tools")
    assert told.data["tools"] == [{"name": "forecast | x", "server": "search", "usd_per_call": "0.01"}]
    assert "IGNORE" not in told.text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ask", {}),
        ("ask", {"query": 7}),
        ("ask", {"query": "x" * (MAX_ARGUMENT + 1)}),
        ("ask", {"query": "a", "more": 1}),
        ("list_models", {"limit": 0}),
        ("list_models", {"limit": True}),
        ("list_models", {"limit": "5"}),
        ("list_models", {"offset": -1}),
        ("list_tools", {"contains": None}),
    ],
)
def test_arguments_that_cannot_be_used(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadArgument):
        call(name, **arguments)
