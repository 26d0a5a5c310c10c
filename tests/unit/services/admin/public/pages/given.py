"""Views and documents for tests of pages."""

from typing import Any

from oneapi.catalog.public.view import PublicOffer, PublicPrice, PublicRates, PublicTool, PublicView
from services.admin.public.document import JSON, LIVE_S, MARKDOWN, SLOW_S, TEXT, Document, document
from services.admin.public.site import Public, Site

BASE = "https://gw.example"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></textarea></pre>",
    "a&amp;b&lt;",
    "'; rm -rf / #",
    "$(reboot) `reboot`",
    "two\nlines\x00\u202e",
    "half \ud800",
    "x" * 100_000,
    "<!--",
    "]]>",
)


def rates(**usd: str) -> PublicRates:
    units = {"image", "per_call", "second"}
    return PublicRates(
        per_million=tuple((name, value) for name, value in usd.items() if name not in units),
        per_unit=tuple((name, value) for name, value in usd.items() if name in units),
    )


def price(**usd: str) -> PublicPrice:
    return PublicPrice(now=rates(**usd), base=rates(**usd))


def offer(model: str, **given: Any) -> PublicOffer:
    fields: dict[str, Any] = {
        "channel": "main",
        "provider": "openai",
        "endpoints": ("chat",),
        "groups": ("*",),
        "max_output_tokens": None,
        "price": price(input="0.15", output="0.6"),
    }
    return PublicOffer(model=model, **{**fields, **given})


def tool(name: str, description: str = "Does things.", usd: str = "0.01") -> PublicTool:
    return PublicTool(
        server_id="mcps_1",
        server="weather",
        name=name,
        title="",
        description=description,
        input_schema="{}",
        usd_per_call=usd,
        listed_at_ms=0,
    )


def public(*offers: PublicOffer, tools: tuple[PublicTool, ...] = (), base: str = BASE) -> Public:
    view = PublicView(revision="0123456789abcdef", offers=offers, tools=tools, changes_at_ms=None)
    return Public(site=Site(base_url=base, version="1.2.3"), view=view)


def prices_page(view: Public) -> str:
    return "# Prices\n\n| model |\n|---|\n" + "".join(f"| {offer.model} |\n" for offer in view.view.offers)


DOCUMENTS: tuple[Document, ...] = (
    document("/index.md", MARKDOWN, lambda view: f"# {view.site.name}\n", "Overview", "what this is", LIVE_S),
    document("/pricing.md", MARKDOWN, prices_page, "Prices", "what models cost", LIVE_S, group="Documentation"),
    document("/llms.txt", TEXT, lambda _: "# Here\n\n> Summary\n", "llms.txt", "for agents", SLOW_S, group="Agents"),
    document("/a.json", JSON, lambda _: '{"a":"<b>"}', "A", "", SLOW_S, group="Documentation", rel="service-desc"),
    document("/robots.txt", TEXT, lambda _: "User-agent: *\n", "Robots", "for crawlers", SLOW_S),
)
