"""What renderers are given in these tests: every document is listed, and names may mean harm."""

from oneapi.catalog.public.view import PublicOffer, PublicTool, PublicView
from services.admin.application import management_schema
from services.admin.public.registry import DOCUMENTS
from services.admin.public.site import Public, Site

BASE = "https://gw.example:8443"
HOSTILE = "x](https://evil.example) | <script>\n## heading\n```\n'; rm -rf $HOME; `id` \u202e"


def offer(model: str, *endpoints: str, channel: str = "main") -> PublicOffer:
    """A model on one channel."""
    return PublicOffer(
        channel=channel,
        provider="openai",
        model=model,
        endpoints=endpoints,
        groups=("*",),
        max_output_tokens=None,
        price=None,
    )


def tool(name: str) -> PublicTool:
    """A tool that says what it likes."""
    return PublicTool(
        server_id="s",
        server=HOSTILE,
        name=name,
        title=HOSTILE,
        description=HOSTILE,
        input_schema="{}",
        usd_per_call="0",
        listed_at_ms=0,
    )


def public(*offers: PublicOffer, tools: tuple[PublicTool, ...] = (), base_url: str = BASE) -> Public:
    """The site with these offers."""
    view = PublicView(revision="0123456789abcdef", offers=offers, tools=tools, changes_at_ms=None)
    site = Site(
        base_url=base_url,
        version="1.2.3",
        documents=tuple(document.listed for document in DOCUMENTS),
        management=management_schema,
    )
    return Public(site=site, view=view)


def rendered(given: Public) -> dict[str, str]:
    """The first form of every document by its path."""
    return {document.path: document.representations[0].render(given) for document in DOCUMENTS}
