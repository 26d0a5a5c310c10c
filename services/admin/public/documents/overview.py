"""The first page for programs, and its other address. It decides what is said first about the gateway."""

from services.admin.public.document import LIVE_S, MARKDOWN, document
from services.admin.public.examples import command
from services.admin.public.markdown import address, fenced, of_document, table, who
from services.admin.public.routes import INFERENCE, ROUTES, SANDBOX, Auth, Group
from services.admin.public.site import Public

TITLE, NOTE = "Overview", "what the gateway is, its routes, and what is where"


def index(public: Public) -> str:
    """What the gateway is, what can be called, and where the rest is written."""
    site, view = public.site, public.view
    shown = [route for route in ROUTES if route.auth is not Auth.MANAGEMENT and route.group is not Group.MANAGEMENT]
    rows = ((route.method, route.path, route.format.value, who(route), route.summary) for route in shown)
    listed = "\n".join(of_document(site, each) for each in site.documents if each.group)
    return f"""\
# {site.name}

> A self-hosted AI gateway: one key and one base URL for OpenAI Chat Completions, OpenAI Responses, Claude Messages,
> Google Gemini and MCP tools, with hard budgets and a receipt for each request.

Version {site.version} at {address(site)}, with {len(view.models)} models and {len(view.tools)} tools. This page was
made of catalog revision `{view.revision}`.

## Try it without a key

The sandbox answers without calling any provider:

{fenced("sh", command(public, SANDBOX[0]))}

## Call a model

Ask the operator of this gateway for a relay key, then:

{fenced("sh", command(public, INFERENCE[0]))}

Conversations convert between formats: use the one that your client speaks, with any model.

## Routes

{table(("Method", "Path", "Format", "Needs", "What it does"), rows)}

The management API below `/api` takes management tokens, and is described in {address(site, "/openapi.json")}.

## Documents

{listed}
"""


DOCUMENTS = (
    document("/index.md", MARKDOWN, index, TITLE, NOTE, LIVE_S, group="Documentation", rel="alternate"),
    document("/index.html.md", MARKDOWN, index, TITLE, NOTE, LIVE_S),
)
