"""Operations of an OpenAPI document, made of the rows of routes and of the list of documents.

It decides which statuses a route may answer with, and in which form. It must not know the document around them.
"""

import re
from typing import Any

from oneapi.catalog.public.view import PublicView
from services.admin.public import a2a
from services.admin.public.examples import SANDBOX_MODEL, model_for, models_for
from services.admin.public.examples import body as body_of
from services.admin.public.openapi import schemas
from services.admin.public.openapi.answers import ANSWERS
from services.admin.public.routes import Auth, Format, Group, Route
from services.admin.public.site import Listed

Operation = dict[str, Any]

RELAY_KEYS = {
    "relayKey": {"type": "http", "scheme": "bearer", "description": "A relay key"},
    "relayKeyAnthropic": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "relayKeyAzure": {"type": "apiKey", "in": "header", "name": "api-key"},
    "relayKeyGoogle": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
}
DOCUMENTS_TAG = "documents"
MAX_EXAMPLES = 5
_MEANING = {
    400: "The request is not what its format allows, or something in it can't be carried",
    401: "The relay key is missing, not valid, or may not be used from here",
    402: "The budget of the key or the balance of its account is spent",
    403: "The key may not do this, or the model has no price",
    404: "There is no such thing for this key",
    409: "What is stored is being changed by others",
    413: "The body is too large",
    415: "The body is not application/json",
    429: "Too many requests or tokens in a time, or at once",
    500: "The gateway failed",
    502: "The provider failed",
    503: "The gateway, or every provider of the model, can't serve now",
    504: "The provider took too long",
}
_COLD = (400, 401, 404, 429, 500, 503)
_STATUSES = {
    Group.INFERENCE: tuple(_MEANING),
    Group.MODELS: _COLD,
    Group.RESPONSES: _COLD,
    Group.CONVERSATIONS: (*_COLD, 409, 413, 415),
    Group.RECEIPTS: _COLD,
    Group.TOOLS: (400, 401, 403, 404, 413, 415, 429, 503),
    Group.DISCOVERY: (400, 403, 404, 413, 415, 429, 500, 503),
    Group.SANDBOX: (400, 413, 415, 429, 500, 502, 503),
    Group.HEALTH: (503,),
}
_WAITS = {429, 503}
_QUERIES: dict[str, dict[str, Operation]] = {
    "streamGenerateContent": {"alt": {"type": "string", "enum": ["sse", "json"], "default": "json"}},
    "ask": {"query": {"type": "string"}},
}
_MEDIA_TYPES = {"sendMessage": a2a.MEDIA_TYPE}
_STREAMED = re.compile(r"(completions|responses|messages|:streamGenerateContent|/mcp|/ask|/a2a|:stream)\Z")


def of_route(route: Route, view: PublicView) -> Operation:
    """The operation of a row that isn't of the management API."""
    examples = models_for(view, route.format)[:MAX_EXAMPLES]
    operation: Operation = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.group.value],
        "security": [{name: []} for name in RELAY_KEYS] if route.auth is Auth.RELAY_KEY else [],
        "responses": _responses(route),
    }
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schemas.model(examples) if name == "model" else {"type": "string"},
        }
        for name in route.parameters
    ]
    for name, schema in _QUERIES.get(route.operation_id, {}).items():
        parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    if route.path.startswith(a2a.PATH):
        version = {"type": "string", "const": a2a.VERSION}
        parameters.append({"name": a2a.VERSION_HEADER, "in": "header", "required": True, "schema": version})
    if parameters:
        operation["parameters"] = parameters
    body = schemas.request(route, examples)
    if body is not None:
        model = SANDBOX_MODEL if route.group is Group.SANDBOX else model_for(view, route.format)
        content = {"application/json": {"schema": body, "example": body_of(route, model)}}
        operation["requestBody"] = {"required": bool(body.get("required")), "content": content}
    return operation


def of_document(document: Listed) -> Operation:
    """The operation that reads a public document."""
    name = "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", document.path))
    essence = document.media_type.partition(";")[0]
    kind = {} if "json" in essence else {"type": "string"}
    return {
        "operationId": f"get{name or 'Home'}",
        "summary": document.title,
        "description": document.note,
        "tags": [DOCUMENTS_TAG],
        "security": [],
        "responses": {
            "200": {"description": "The document", "content": {essence: {"schema": kind}}},
            "304": {"description": "It is what `If-None-Match` names"},
        },
    }


def _responses(route: Route) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if route.operation_id in ANSWERS:
        content[_MEDIA_TYPES.get(route.operation_id, "application/json")] = {"schema": ANSWERS[route.operation_id]}
    if (route.method == "POST" or route.path == "/ask") and _STREAMED.search(route.path):
        content["text/event-stream"] = {}
    found: dict[str, Any] = {"200": {"description": "The answer", "content": content}} if content else {}
    if route.format is Format.MCP:
        found["202"] = {"description": "A notification was taken"}
    for status in _STATUSES[route.group]:
        if status == 401 and route.auth is Auth.NONE:
            continue
        found[str(status)] = _error(route, status)
    return dict(sorted(found.items()))


def _error(route: Route, status: int) -> dict[str, Any]:
    name = schemas.ERRORS.get(route.format)
    schema = {"$ref": f"#/components/schemas/{name}"} if name else {"type": "object"}
    error: dict[str, Any] = {"description": _MEANING[status], "content": {"application/json": {"schema": schema}}}
    if status in _WAITS and route.group is not Group.HEALTH:
        wait = {"description": "Seconds to wait", "schema": {"type": "string"}}
        error["headers"] = {"Retry-After": wait}
    return error
