"""The first page: what this is, how to begin, which models and tools there are at which prices.

It decides what somebody who comes here by chance is told first. It must not know how documents are served.
"""

from collections.abc import Sequence

from services.admin.public.document import LIVE_S, Document
from services.admin.public.examples import command
from services.admin.public.pages import layout
from services.admin.public.pages.html import Html, html, lines, tag
from services.admin.public.pages.listing import listed_by_group
from services.admin.public.pages.offers import offers_table, tools_table
from services.admin.public.routes import INFERENCE, SANDBOX
from services.admin.public.site import Public

OVERVIEW = "/index.md"
SHOWN = tuple(route for route in INFERENCE if f"/sandbox{route.path}" in {free.path for free in SANDBOX})
"""The routes of which a request is shown: what can be tried in the sandbox first."""
NOTE = "A self-hosted AI gateway: one key, one address and one bill for every model."
LEAD = (
    "One key, one address and one bill for many models. Clients of OpenAI Chat Completions, OpenAI Responses, "
    "Claude Messages and MCP keep what they have and change their base URL."
)


def home(documents: Sequence[Document]) -> Document:
    """The first page. What programs get of it is the overview that is among the documents, byte for byte."""
    overviews = (each.representations[0] for each in documents if each.path == OVERVIEW)
    return Document(
        path=layout.HOME,
        title="Home",
        note="what this gateway is, for people",
        representations=(layout.represented(lambda public: _page(public, documents)), *overviews),
        max_age_s=LIVE_S,
        group=layout.GROUP,
    )


def _page(public: Public, documents: Sequence[Document]) -> layout.Page:
    return layout.Page(
        title=public.site.name,
        note=NOTE,
        path=layout.HOME,
        here=layout.HOME,
        head=layout.links(documents),
        main=lines(
            tag("h1", public.site.name),
            tag("p", LEAD, class_="lead"),
            _start(public),
            _models(public),
            _tools(public),
            _documents(documents),
            _status(public),
        ),
    )


def _start(public: Public) -> Html:
    clients = html(
        "With a key from the operator of this gateway, in the environment variable ",
        tag("code", "ONEAPI_KEY"),
        ". SDKs take the base URL ",
        tag("code", public.site.url("/v1")),
        "; Anthropic’s take ",
        tag("code", public.site.base_url),
        ".",
    )
    return lines(
        tag("h2", "Start", id="start"),
        tag(
            "p",
            "Without a key, the sandbox answers in three formats; it is free, and asks no provider. Try it in the ",
            tag("a", "playground", href=layout.PLAYGROUND),
            ".",
        ),
        _code(command(public, SANDBOX[0])),
        tag("p", clients),
        *(html(tag("h3", route.format.value), "\n", _code(command(public, route))) for route in SHOWN),
        tag("h3", "Tools"),
        tag("p", "Hosts of MCP take ", tag("code", public.site.url("/mcp")), " with the same key."),
    )


def _models(public: Public) -> Html:
    view = public.view
    count = f"{len(view.models):,} model{'' if len(view.models) == 1 else 's'}"
    return lines(
        tag("h2", "Models and prices", id="models"),
        tag(
            "p",
            count,
            ". All prices, with their tiers and hours: ",
            tag("a", "pricing", href="/docs/read/pricing.md"),
            ".",
        ),
        offers_table(view.offers),
    )


def _tools(public: Public) -> Html:
    return lines(tag("h2", "Tools", id="tools"), tools_table(public.view.tools))


def _documents(documents: Sequence[Document]) -> Html:
    return lines(tag("h2", "Documents", id="documents"), listed_by_group(documents, "h3"))


def _status(public: Public) -> Html:
    return lines(
        tag("h2", "Status", id="status"),
        tag(
            "p",
            tag("a", "Readiness", href="/readyz"),
            " says whether requests can be served now, and what is missing when they can’t.",
        ),
        tag(
            "p", "Models, prices and tools are those of the catalog’s revision ", tag("code", public.view.revision), "."
        ),
    )


def _code(text: str) -> Html:
    return tag("pre", tag("code", text))
