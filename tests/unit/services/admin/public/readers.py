"""What each document says of prices, read back as its readers do. A document that shows prices has a row here."""

import html
import json
import re
from collections.abc import Callable

from oneapi.catalog.public.view import PublicView
from oneapi.pricing.money import rate_from_usd_per_million, rate_from_usd_per_unit
from services.admin.public.display.models import models_display
from services.admin.public.display.tools import tools_display
from services.admin.public.documents.pricing import NO_PRICE, pricing
from services.admin.public.site import Public
from services.edge.openrouter_list import NO_FIXED_PRICE, openrouter_list
from tests.unit.services.admin.public.views import SITE, tables

Shown = tuple[str, str]
"""A channel's name and a model's id, or a server's and a tool's."""
Rates = tuple[int, int, int] | None
"""Pico-USD for a token of input, of cached input and of output; None when there is no price."""


def _plain(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", html.unescape(cell))


def pricing_models(view: PublicView) -> dict[Shown, Rates]:
    """The first table of /pricing.md."""
    head, *rows = tables(pricing(Public(site=SITE, view=view)))[0]
    assert head == ["channel", "model", "input", "cached input", "output"]
    found: dict[Shown, Rates] = {}
    for channel, model, *prices in rows:
        key = (_plain(channel), _plain(model))
        assert key not in found
        first, cached, output = (None if price == NO_PRICE else rate_from_usd_per_million(price) for price in prices)
        found[key] = None if first is None or cached is None or output is None else (first, cached, output)
    return found


def display_models(view: PublicView) -> dict[Shown, Rates]:
    """/api/models/display."""
    text = models_display(Public(site=SITE, view=view))
    data = json.loads(text, parse_float=str, parse_int=str)["data"]
    found: dict[Shown, Rates] = {}
    for key, channel in data.items():
        assert key == f"{channel['provider']}:{channel['channel_name']}"
        for model, shown in channel["models"].items():
            prices = [shown[f"{name}_price"] for name in ("input", "cached_input", "output")]
            known = [rate_from_usd_per_million(price) for price in prices if price is not None]
            found[channel["channel_name"], model] = (known[0], known[1], known[2]) if known else None
    return found


def pricing_tools(view: PublicView) -> dict[Shown, int]:
    """The table of tools of /pricing.md."""
    for head, *rows in tables(pricing(Public(site=SITE, view=view))):
        if head == ["server", "tool", "USD per call"]:
            return {(_plain(server), _plain(tool)): rate_from_usd_per_unit(usd) for server, tool, usd in rows}
    return {}


def display_tools(view: PublicView) -> dict[Shown, int]:
    """/api/tools/display."""
    data = json.loads(tools_display(Public(site=SITE, view=view)), parse_float=str, parse_int=str)["data"]
    return {
        (each["server"]["name"], tool["name"]): rate_from_usd_per_unit(tool["default_pricing"]["usd_per_call"])
        for each in data
        for tool in each["tools"]
    }


def openrouter_models(view: PublicView) -> dict[str, tuple[int, int] | None]:
    """/openrouter/v1/models: input and output."""
    found: dict[str, tuple[int, int] | None] = {}
    for model in json.loads(openrouter_list(view))["data"]:
        prompt, completion = model["pricing"]["prompt"], model["pricing"]["completion"]
        found[model["id"]] = (
            None if prompt == NO_FIXED_PRICE else (rate_from_usd_per_unit(prompt), rate_from_usd_per_unit(completion))
        )
    return found


MODELS: tuple[Callable[[PublicView], dict[Shown, Rates]], ...] = (pricing_models, display_models)
TOOLS: tuple[Callable[[PublicView], dict[Shown, int]], ...] = (pricing_tools, display_tools)
