"""Public views for tests of documents, and what a document says in its tables."""

import re
from typing import Any

from oneapi.catalog.public.view import PublicOffer, PublicPrice, PublicRates, PublicTool, PublicView
from services.admin.public.site import Public, Site

SITE = Site(base_url="https://gw.example", version="1.2.3")
PRICE = PublicPrice(
    now=PublicRates(per_million=(("input", "2"), ("output", "8"))),
    base=PublicRates(per_million=(("input", "2"), ("output", "8"))),
)
_CELLS = re.compile(r"(?<!\\)\|")


def offer(**fields: Any) -> PublicOffer:
    given: dict[str, Any] = {
        "channel": "main", "provider": "openai", "model": "m", "endpoints": ("chat",), "groups": ("default",),
        "max_output_tokens": None, "price": PRICE,
    }  # fmt: skip
    return PublicOffer(**given | fields)


def tool(**fields: Any) -> PublicTool:
    given: dict[str, Any] = {
        "server_id": "mcp_1", "server": "search", "name": "find", "title": "Find", "description": "Finds it.",
        "input_schema": '{"type":"object"}', "usd_per_call": "0.01", "listed_at_ms": 7,
    }  # fmt: skip
    return PublicTool(**given | fields)


def public(*offers: PublicOffer, tools: tuple[PublicTool, ...] = ()) -> Public:
    return Public(site=SITE, view=PublicView(revision="rev", offers=offers, tools=tools, changes_at_ms=None))


def tables(markdown: str) -> list[list[list[str]]]:
    """Every table: its rows, the head first. AssertionError for one whose rows have other lengths than its head."""
    found: list[list[list[str]]] = []
    for block in markdown.split("\n\n"):
        lines = block.strip("\n").split("\n")
        if not lines[0].startswith("|"):
            continue
        rows = [[cell.strip() for cell in _CELLS.split(line)[1:-1]] for line in lines]
        assert all(line.startswith("|") and line.endswith("|") for line in lines), block
        assert {len(row) for row in rows} == {len(rows[0])}, block
        assert set(rows[1]) == {"---"}, block
        found.append([rows[0], *rows[2:]])
    return found
