"""The list of tools: by server, what each takes and what a call costs.

It decides the shape. Nothing of a server but its id and name is shown.
"""

from decimal import Decimal
from itertools import groupby
from math import ceil
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from oneapi.catalog.public.view import PublicTool
from services.admin.public.display.envelope import envelope, number
from services.admin.public.document import JSON, LIVE_S, document
from services.admin.public.site import Public

PATH = "/api/tools/display"
ENABLED = 1
QUOTA_PER_USD = 500_000
"""Programs for One API count money in this unit."""


def tools_display(public: Public) -> str:
    """The answer's text."""
    listed: list[dict[str, Any]] = []
    for (server_id, name), tools in groupby(public.view.tools, key=lambda tool: (tool.server_id, tool.server)):
        server = {"uuid": server_id, "name": name, "status": ENABLED, "protocol": "streamable_http"}
        listed.append({"server": server, "tools": [_tool(tool) for tool in tools]})
    return envelope(listed)


def _tool(tool: PublicTool) -> dict[str, Any]:
    return {
        "uuid": str(uuid5(NAMESPACE_URL, f"{tool.server_id}/{tool.name}")),
        "server_uuid": tool.server_id,
        "name": tool.name,
        "display_name": tool.title or tool.name,
        "description": tool.description,
        "input_schema": tool.input_schema,
        "default_pricing": {
            "usd_per_call": number(tool.usd_per_call),
            "quota_per_call": ceil(Decimal(tool.usd_per_call) * QUOTA_PER_USD),
        },
        "status": ENABLED,
        "created_at": tool.listed_at_ms,
        "updated_at": tool.listed_at_ms,
    }


DOCUMENTS = (
    document(PATH, JSON, tools_display, "Tools", "every tool with its price, by server", LIVE_S, group="Discovery"),
)
