"""Every route in one page, from the registry of routes. It decides their order by section."""

from itertools import groupby

from services.admin.public.document import LIVE_S, MARKDOWN, document
from services.admin.public.examples import command
from services.admin.public.markdown import address, fenced, table, who
from services.admin.public.routes import INFERENCE, ROUTES, Group, Route
from services.admin.public.site import Public

_TITLES = {
    Group.INFERENCE: "Inference",
    Group.MODELS: "Models",
    Group.RESPONSES: "Stored responses",
    Group.CONVERSATIONS: "Conversations",
    Group.RECEIPTS: "Receipts",
    Group.TOOLS: "Tools",
    Group.SANDBOX: "Sandbox",
    Group.DISCOVERY: "Discovery",
    Group.HEALTH: "Health",
    Group.MANAGEMENT: "Management",
}
_ERRORS = (
    ("400", "The request is not what its format allows, or something in it can't be carried"),
    ("401", "The key or token is missing or not valid; all bad ones get the same answer"),
    ("402", "The budget of the key or the balance of its account is spent"),
    ("403", "The key may not do this, or the model has no price"),
    ("404", "There is no such path, or no such model for this key"),
    ("429", "Too many requests or tokens in a time, or at once; `Retry-After` says how long to wait"),
    ("502", "The provider failed"),
    ("503", "The gateway or every provider of the model can't serve now; `Retry-After` says when to ask again"),
)


def api(public: Public) -> str:
    """The routes by section, then what is the same for all of them."""
    site = public.site
    commands = "\n\n".join(fenced("sh", command(public, route)) for route in INFERENCE if not route.parameters)
    return f"""\
# API reference

Base URL: {address(site)}. Requests and answers are JSON in UTF-8; the machine-readable form of this page is
{address(site, "/openapi.json")}, with one section for each operation in {address(site, "/openapi.json.md")}.

{_sections()}

## Examples

{commands}

Answers of inference come as a stream with `"stream": true`, or by Google's `:streamGenerateContent`.

## Headers

- `Authorization: Bearer <relay key>`; {address(site, "/auth.md")} has the other ways.
- `x-oneapi-strict: 1` refuses a request of which something would be lost on its way to the provider's format.
- Answers have `x-request-id`; inference also `x-oneapi-channel`, and `x-oneapi-loss` when something was not carried.
- `GET /v1/receipts/{{request_id}}` says what a request cost.

## Errors

Errors have the shape of the format that the path speaks, and a true status:

{table(("Status", "Meaning"), _ERRORS)}

Errors of the management API are RFC 9457 problems (`application/problem+json`).
"""


def _sections() -> str:
    def group(route: Route) -> Group:
        return route.group

    parts = []
    for name, routes in groupby(ROUTES, key=group):
        rows = ((route.method, route.path, route.format.value, who(route), route.summary) for route in routes)
        parts.append(f"## {_TITLES[name]}\n\n{table(('Method', 'Path', 'Format', 'Needs', 'What it does'), rows)}")
    return "\n\n".join(parts)


DOCUMENTS = (
    document(
        "/api.md",
        MARKDOWN,
        api,
        "API reference",
        "every route, its format and what it needs",
        LIVE_S,
        group="Documentation",
    ),
)
