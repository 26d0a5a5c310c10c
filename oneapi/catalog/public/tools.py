"""The public tools: what enabled servers have and offer, each under the one server that has its name.

It decides by the configuration of this moment, so that a changed price or list counts at once, whenever a server was
asked last. It must not know how a listing came here.
"""

import unicodedata
from collections.abc import Iterable, Mapping

from oneapi.catalog.listings import ListedTool, ServerTools
from oneapi.catalog.public.view import PublicTool
from oneapi.catalog.toolset import Offer, merge
from oneapi.catalog.types import McpServer
from oneapi.pricing.money import usd_per_unit_text

_LINES = {"\n", "\t"}


def public_tools(servers: Mapping[str, McpServer], listings: Iterable[ServerTools]) -> tuple[PublicTool, ...]:
    """Every tool that the gateway offers, in the order of names."""
    listed = {listing.server_id: listing for listing in listings}
    enabled = [server for server in servers.values() if server.enabled and server.id in listed]
    offered = merge((server, listed[server.id].tools) for server in enabled)
    return tuple(_tool(offer, listed[offer.server.id].listed_at_ms) for offer in offered.offers.values())


def _tool(offer: Offer[ListedTool], listed_at_ms: int) -> PublicTool:
    tool, server = offer.tool, offer.server
    return PublicTool(
        server_id=server.id,
        server=server.name,
        name=tool.name,
        title=_readable(tool.title),
        description=_readable(tool.description),
        input_schema=tool.input_schema,
        usd_per_call=usd_per_unit_text(server.prices.get(tool.name, 0)),
        listed_at_ms=listed_at_ms,
    )


def _readable(text: str) -> str:
    """The text without control and format characters, which only hide things from people."""
    return "".join(each for each in text if each in _LINES or unicodedata.category(each)[0] != "C")
