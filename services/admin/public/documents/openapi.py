"""`/openapi.json`, of every route of the gateway, and the same operations in Markdown.

The management API's part is what its own handlers say; the other services' is made of the registry's rows. It decides
how the two become one document.
"""

import json
from collections.abc import Mapping
from typing import Any

from services.admin.public.document import JSON, LIVE_S, MARKDOWN, Document, Representation, document
from services.admin.public.markdown import address, table
from services.admin.public.openapi import operations, schemas
from services.admin.public.routes import ROUTES, Group, Route
from services.admin.public.site import Public, Site
from services.admin.public.text import cell

OPENAPI = "3.1.1"
MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.1"
_ABOUT = """\
One base URL for models in the formats of OpenAI, Anthropic and Google, for tools by MCP, and for the management of it.
Inference takes relay keys, management takes management tokens; the public documents and the sandbox take neither.

# Management
"""
_TAGS = {
    Group.INFERENCE.value: "Calls of models, and counts of tokens",
    Group.MODELS.value: "Models that a relay key may use",
    Group.RESPONSES.value: "Responses that are kept",
    Group.CONVERSATIONS.value: "Conversations that are kept",
    Group.RECEIPTS.value: "What requests cost",
    Group.TOOLS.value: "Tools by MCP",
    Group.SANDBOX.value: "Made-up answers, without a key",
    Group.DISCOVERY.value: "Questions about the gateway, without a key",
    Group.HEALTH.value: "Whether the gateway is well",
    operations.DOCUMENTS_TAG: "Public documents",
}
_BY_PLACE = {(route.method.lower(), route.path): route for route in ROUTES}


def openapi(public: Public) -> str:
    """The document as JSON."""
    return json.dumps(description(public))


def description(public: Public) -> dict[str, Any]:
    """The document."""
    site = public.site
    management = site.management()
    components = management.get("components", {})
    return {
        "openapi": OPENAPI,
        "info": {
            "title": site.name,
            "version": site.version,
            "description": _ABOUT + management.get("info", {}).get("description", ""),
        },
        "servers": [{"url": site.base_url}],
        "tags": [{"name": name, "description": about} for name, about in _tags(site).items()],
        "paths": _paths(public),
        "components": {
            "schemas": {**schemas.errors(), **components.get("schemas", {})},
            "securitySchemes": {**operations.RELAY_KEYS, **components.get("securitySchemes", {})},
        },
        "x-catalog-revision": public.view.revision,
    }


def twin(public: Public) -> str:
    """Each operation as a section."""
    site = public.site
    sections = "\n\n".join(
        _section(method.upper(), path, operation)
        for path, methods in _paths(public).items()
        for method, operation in methods.items()
    )
    return f"""\
# {site.name}: operations

Base URL: {address(site)}. The machine-readable form is {address(site, "/openapi.json")}.

{sections}
"""


def _paths(public: Public) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in ROUTES:
        if route.group is not Group.MANAGEMENT:
            paths.setdefault(route.path, {})[route.method.lower()] = operations.of_route(route, public.view)
    for path, methods in public.site.management().get("paths", {}).items():
        found = paths.setdefault(path, {})
        for method, operation in methods.items():
            found[method] = _named(operation, _BY_PLACE.get((method, path)))
    for listed in public.site.documents:
        found, operation = paths.setdefault(listed.path, {}), operations.of_document(listed)
        # One that handlers answer too, for those who sign in or filter, takes more than a document does.
        found["get"] = {**operation, **found.get("get", {}), "operationId": operation["operationId"]}
    return paths


def _named(operation: Mapping[str, Any], route: Route | None) -> dict[str, Any]:
    """What handlers say of an operation, with the name that the registry gives it."""
    if route is None:
        return dict(operation)
    return {**operation, "operationId": route.operation_id, "summary": route.summary}


def _tags(site: Site) -> dict[str, str]:
    """The sections with what is in them."""
    found = dict(_TAGS)
    for methods in site.management().get("paths", {}).values():
        for operation in methods.values():
            for name in operation.get("tags", ()):
                found.setdefault(name, f"Management of {name.replace('-', ' ')}")
    return found


def _section(method: str, path: str, operation: Mapping[str, Any]) -> str:
    needs = " or ".join(dict.fromkeys(name for way in operation["security"] for name in way)) or "nothing"
    parts = [f"## {operation['operationId']}", f"`{method} {path}`: {operation['summary']}. Needs: {needs}."]
    about = " ".join(operation.get("description", "").split())
    if about:
        parts.append(about)
    fields = _fields(operation)
    if fields:
        parts.append(fields)
    answers = [(status, cell(answer["description"])) for status, answer in operation["responses"].items()]
    parts.append(table(("Status", "Meaning"), answers))
    return "\n\n".join(parts)


def _fields(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    reference = schema.get("$ref", "").rpartition("/")[2]
    if reference:
        return f"Body: `{reference}`."
    needed = schema.get("required", ())
    names = [f"`{name}`" + (" (required)" if name in needed else "") for name in schema.get("properties", ())]
    return f"Body: {', '.join(names)}." if names else ""


DOCUMENTS = (
    Document(
        path="/openapi.json",
        title="OpenAPI",
        note="every route with its requests, answers and errors, as OpenAPI 3.1",
        representations=(
            Representation(media_type=MEDIA_TYPE, render=openapi),
            Representation(media_type=JSON, render=openapi),
        ),
        max_age_s=LIVE_S,
        group="Documentation",
        rel="service-desc",
    ),
    document(
        "/openapi.json.md",
        MARKDOWN,
        twin,
        "OpenAPI in Markdown",
        "each operation as a section",
        LIVE_S,
        group="Documentation",
    ),
)
