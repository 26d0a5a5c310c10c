"""Documents and harmful names for tests of pages."""

from services.admin.public.document import JSON, LIVE_S, MARKDOWN, SLOW_S, TEXT, Document, document
from services.admin.public.site import Public

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


def prices_page(view: Public) -> str:
    return "# Prices\n\n| model |\n|---|\n" + "".join(f"| {offer.model} |\n" for offer in view.view.offers)


DOCUMENTS: tuple[Document, ...] = (
    document("/index.md", MARKDOWN, lambda view: f"# {view.site.name}\n", "Overview", "what this is", LIVE_S),
    document("/pricing.md", MARKDOWN, prices_page, "Prices", "what models cost", LIVE_S, group="Documentation"),
    document("/llms.txt", TEXT, lambda _: "# Here\n\n> Summary\n", "llms.txt", "for agents", SLOW_S, group="Agents"),
    document("/a.json", JSON, lambda _: '{"a":"<b>"}', "A", "", SLOW_S, group="Documentation", rel="service-desc"),
    document("/robots.txt", TEXT, lambda _: "User-agent: *\n", "Robots", "for crawlers", SLOW_S),
)
