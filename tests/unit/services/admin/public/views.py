"""Public views for tests of documents, and what a document says in its tables."""

import re
from typing import Any

from oneapi.catalog.public.view import PublicOffer, PublicPrice, PublicRates, PublicTool, PublicView
from oneapi.catalog.types import UNITS
from services.admin.public.site import Public, Site

BASE = "https://gw.example"
VERSION = "1.2.3"
SITE = Site(base_url=BASE, version=VERSION)
_CELLS = re.compile(r"(?<!\\)\|")


def rates(**usd: str) -> PublicRates:
    """USD by bucket or unit."""
    return PublicRates(
        per_million=tuple((name, value) for name, value in usd.items() if name not in UNITS),
        per_unit=tuple((name, value) for name, value in usd.items() if name in UNITS),
    )


def price(**usd: str) -> PublicPrice:
    """A price that is the same at any time."""
    return PublicPrice(now=rates(**usd), base=rates(**usd))


def offer(model: str = "m", **fields: Any) -> PublicOffer:
    """An offer; a price may be given as USD of input and output."""
    given: dict[str, Any] = {
        "channel": "main", "provider": "openai", "model": model, "endpoints": ("chat",), "groups": ("default",),
        "max_output_tokens": None, "price": price(input="2", output="8"),
    } | fields  # fmt: skip
    if isinstance(given["price"], tuple):
        given["price"] = price(**dict(zip(("input", "output"), given["price"], strict=True)))
    return PublicOffer(**given)


def tool(name: str = "find", description: str = "Finds it.", **fields: Any) -> PublicTool:
    given: dict[str, Any] = {
        "server_id": "mcp_1", "server": "search", "name": name, "title": "Find", "description": description,
        "input_schema": '{"type":"object"}', "usd_per_call": "0.01", "listed_at_ms": 7,
    }  # fmt: skip
    return PublicTool(**given | fields)


def public(*offers: PublicOffer, tools: tuple[PublicTool, ...] = (), site: Site = SITE) -> Public:
    view = PublicView(revision="rev", offers=offers, tools=tools, changes_at_ms=None)
    return Public(site=site, view=view)


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
