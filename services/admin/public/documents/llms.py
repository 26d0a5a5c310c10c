"""llms.txt and its narrower kin, as llmstxt.org proposes them.

Below a heading of the second level stand links and nothing else: parsers demand it. What is listed are the documents
and routes that there are. It decides what is said of them, and lists no name of others.
"""

from collections.abc import Iterable, Sequence

from services.admin.public.document import LIVE_S, SLOW_S, TEXT, document
from services.admin.public.markdown import item, of_document, of_route
from services.admin.public.routes import INFERENCE, ROUTES, SANDBOX, Group
from services.admin.public.site import Public, Site

_PLAIN = tuple(route for route in INFERENCE if not route.parameters)
_TOOLS = tuple(route for route in ROUTES if route.group is Group.TOOLS)
_QUESTIONS = tuple(route for route in ROUTES if route.group is Group.DISCOVERY)
_OPTIONAL = ("/docs/llms.txt", "/api/llms.txt", "/developers/llms.txt")
_FIRST = ("Documentation", "Discovery")

Row = tuple[str, str, str]
"""A path, a title, a note."""

_USE_CASES: tuple[Row, ...] = (
    ("/v1/chat/completions", "One client, many providers", "an OpenAI client reaches every model that is configured"),
    ("/v1/messages", "Conversion", "Chat Completions, Responses, Claude Messages and Gemini convert to each other"),
    ("/mcp", "Tools behind one key", "MCP servers that the operator configured, with the tools that the key may use"),
    ("/api.md", "Costs", "each request has a receipt, and usage is reported by model, key and day"),
    ("/sandbox", "Tests without a key", "check a client's parser in the free sandbox before real calls"),
)
_CONSTRAINTS: tuple[Row, ...] = (
    ("/auth.md", "A relay key is needed", "models and tools take `Authorization: Bearer <relay key>`"),
    ("/auth.md", "Keys come from the operator", "agents can't register themselves"),
    ("/sandbox", "The sandbox makes its answers up", "it never calls a provider"),
    ("/auth.md", "Management is something else", "routes below /api take management tokens, no relay keys"),
    ("/auth.md", "Keys are secrets", "never in addresses, prompts, screenshots, logs or public tickets"),
)
_GUIDANCE: tuple[Row, ...] = (
    ("/agents.md", "How an agent should use it", "which route, what to do on an error, what not to trust"),
    ("/openapi.json", "Schemas", "requests, answers and errors of every route, as OpenAPI 3.1"),
    ("/api.md", "Which format", "the one that your client speaks already; `stream: true` for text as it is made"),
    ("/pricing.md", "Prices", "in US dollars: of models as they are charged now, and of tools"),
    ("/status.md", "Is it well", "where to ask, live"),
)
_WHEN: tuple[Row, ...] = (
    ("/v1/chat/completions", "You speak OpenAI's API", "change the base URL and the key, and nothing else"),
    ("/v1/messages", "You speak Claude Messages", "change the base URL and the key, and nothing else"),
    ("/mcp", "You speak MCP", "one endpoint for the tools of several servers"),
    ("/sandbox", "You have no key", "it is no public model endpoint: use the sandbox"),
)
_TASKS: tuple[Row, ...] = (
    ("/v1/chat/completions", "Text and tool calls", "with any chat model, in any of the conversation formats"),
    ("/v1/embeddings", "Embeddings", "where a channel offers them"),
    ("/v1/models", "Models", "those that the key may use"),
    ("/mcp", "MCP tools", "list and call"),
    ("/openapi.json", "Usage, receipts, keys, channels, prices", "by the management API"),
)


def llms(public: Public) -> str:
    """The whole of it."""
    site, view = public.site, public.view
    optional = [each for each in site.documents if each.path in _OPTIONAL]
    return _text(
        site,
        f"Send `Authorization: Bearer <relay key>` to the routes below `/v1`, `/v1beta` and to `/mcp`. What else is "
        f"listed here is public.\nVersion {site.version}, catalog revision `{view.revision}`: "
        f"{len(view.models)} models, {len(view.tools)} tools.",
        (
            ("Product Overview", [*(of_route(site, route) for route in (*_PLAIN, *_TOOLS)), *_models(site)]),
            ("Use Cases", _rows(site, _USE_CASES)),
            ("Constraints", _rows(site, _CONSTRAINTS)),
            ("Agent Guidance", _rows(site, _GUIDANCE)),
            *((name, _documents(site, name)) for name in _groups(site)),
            ("Questions", [of_route(site, route) for route in _QUESTIONS]),
            ("When To Use This", _rows(site, _WHEN)),
            ("Free Sandbox", [of_route(site, route) for route in SANDBOX]),
            ("Supported Task Types", _rows(site, _TASKS)),
            ("Optional", [of_document(site, each) for each in optional]),
        ),
    )


def docs(public: Public) -> str:
    """The pages in words."""
    site = public.site
    return _text(site, "Pages in words.", (("Documentation", _documents(site, "Documentation")),))


def api(public: Public) -> str:
    """The routes, and what describes them."""
    site = public.site
    described = ("/api.md", "/openapi.json", "/openapi.json.md", "/auth.md", "/pricing.md")
    plain = [of_route(site, route) for route in (*_PLAIN, *_TOOLS)]
    reference = [of_document(site, each) for each in site.documents if each.path in described]
    return _text(
        site,
        "The API: its routes and their descriptions.",
        (
            ("Reference", reference),
            ("Routes", [*plain, *_models(site)]),
            ("Free Sandbox", [of_route(site, each) for each in SANDBOX]),
        ),
    )


def developers(public: Public) -> str:
    """What connects programs with the gateway."""
    site = public.site
    return _text(
        site,
        "What connects programs with this gateway.",
        (
            ("Integration", _rows(site, (*_WHEN, ("/developer-resources", "Base URLs", "for SDKs and clients")))),
            *((name, _documents(site, name)) for name in _groups(site) if name != "Documentation"),
        ),
    )


def _text(site: Site, prose: str, sections: Iterable[tuple[str, Sequence[str]]]) -> str:
    summary = "Self-hosted AI gateway: one key for OpenAI Chat Completions, OpenAI Responses, Claude Messages and MCP."
    parts = [f"# {site.name}", f"> {summary}", prose]
    parts += [f"## {name}\n\n" + "\n".join(lines) for name, lines in sections if lines]
    return "\n\n".join(parts) + "\n"


def _rows(site: Site, rows: Iterable[Row]) -> list[str]:
    """The lines of rows whose paths are there."""
    routes = {route.path for route in ROUTES}
    return [item(site, path, title, note) for path, title, note in rows if path in routes or site.serves(path)]


def _models(site: Site) -> list[str]:
    rows = (
        ("/v1/models", "GET /v1/models", "models that the key may use (relay key)"),
        ("/openrouter/v1/models", "GET /openrouter/v1/models", "models and prices as OpenRouter lists them (no key)"),
        ("/api/models/display", "GET /api/models/display", "models and prices (no key)"),
        ("/api/tools/display", "GET /api/tools/display", "tools and prices (no key)"),
    )
    return _rows(site, rows)


def _groups(site: Site) -> list[str]:
    """Sections of documents, those that everybody has first."""
    return list(dict.fromkeys([*_FIRST, *(each.group for each in site.documents if each.group)]))


def _documents(site: Site, group: str) -> list[str]:
    return [of_document(site, each) for each in site.documents if each.group == group and each.path not in _OPTIONAL]


DOCUMENTS = (
    document("/llms.txt", TEXT, llms, "llms.txt", "this gateway for language models", LIVE_S, rel="describedby"),
    document("/.well-known/llms.txt", TEXT, llms, "llms.txt", "the same at another address", LIVE_S),
    document("/docs/llms.txt", TEXT, docs, "Documentation llms.txt", "the pages", SLOW_S, group="Documentation"),
    document("/api/llms.txt", TEXT, api, "API llms.txt", "the routes", SLOW_S, group="Documentation"),
    document(
        "/developers/llms.txt", TEXT, developers, "Developer llms.txt", "integration", SLOW_S, group="Documentation"
    ),
)
