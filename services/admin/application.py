"""The web application: which resources are mounted where, and how its OpenAPI document is made.

A new resource is one line in `RESOURCES`. This module must not know what a resource does.
"""

import functools
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from oneapi.runtime.health import ready_answer
from oneapi.runtime.origins import own_origins
from oneapi.runtime.telemetry import HeadSampler
from services.admin.identity.authentication import COOKIE
from services.admin.parts import Parts
from services.admin.public.registry import DOCUMENTS
from services.admin.resources.accounts.routes import router as accounts
from services.admin.resources.audit.routes import router as audit
from services.admin.resources.channels.routes import router as channels
from services.admin.resources.display.routes import router as display
from services.admin.resources.explain.routes import router as explain
from services.admin.resources.keys.routes import router as keys
from services.admin.resources.mcp_servers.routes import router as mcp_servers
from services.admin.resources.prices.routes import router as prices
from services.admin.resources.receipts.routes import balance, logs, receipts, usage
from services.admin.resources.session.routes import router as session
from services.admin.resources.status.routes import router as status
from services.admin.resources.tokens.routes import router as tokens
from services.admin.resources.users.routes import router as users
from services.admin.web import problems
from services.admin.web.call import DRY_RUN_HEADER
from services.admin.web.endpoints.layer import PublicEndpoints
from services.admin.web.endpoints.registry import public_endpoints
from services.admin.web.entrance import Entrance, bad_credential
from services.admin.web.observing import Observing
from services.admin.web.problems import ProblemBody
from services.admin.web.public_documents import PublicDocuments
from services.admin.web.routes import is_public

TITLE = "One API management"
OPENAPI = "3.1.1"
DESCRIPTION = """\
Configuration of the gateway, and its records. Money is decimal strings of US dollars, times are RFC 3339 in UTC, ids
are opaque. Errors are RFC 9457 problems. Lists come in pages: pass `next_cursor` as `cursor`.

Every POST takes an `Idempotency-Key`: the same key with the same request gives the first answer again (header
`Idempotent-Replayed: true`, for 48 hours, also one that shows a secret once: it is kept sealed), with another request
422, and 409 while the first one runs. Login is the exception: it ignores the key.

With the header `X-Oneapi-Dry-Run: 1` a request is checked and answered like another, and nothing is changed. Answers to
PATCH and PUT name in `X-Oneapi-Changed` what they change; a request that changes nothing leaves no trace.

With a session cookie, a request that changes something needs the header `X-Oneapi-Csrf` or a same-origin `Origin`.
"""
RESOURCES = (
    accounts, users, keys, tokens, channels, prices, mcp_servers,
    receipts, logs, usage, balance, status, explain, audit, session, display,
)  # fmt: skip


_DRY_RUN = {"name": DRY_RUN_HEADER, "in": "header", "schema": {"type": "string", "enum": ["1"]}}
_IDEMPOTENCY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}
_HEADERS = {"post": (_IDEMPOTENCY, _DRY_RUN), "put": (_DRY_RUN,), "patch": (_DRY_RUN,), "delete": (_DRY_RUN,)}


def build(parts: Parts, sampler: HeadSampler) -> Observing:
    """The whole application, as the server runs it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.parts = parts
    problems.install(app, functools.partial(bad_credential, parts.failures))
    for resource in RESOURCES:
        app.include_router(resource)
    _add_health(app, parts)
    pages = PublicDocuments(app, parts.public, DOCUMENTS)
    origins = own_origins(parts.settings.public_url, parts.settings.allowed_origins)
    endpoints = PublicEndpoints(pages, parts.public, public_endpoints(DOCUMENTS), origins, parts.bounds)
    return Observing(Entrance(endpoints, parts.settings.trusted_proxies, parts.failures), sampler)


def _add_health(app: FastAPI, parts: Parts) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        status_code, body = ready_answer(parts.readiness)
        return JSONResponse(body, status_code)


@functools.cache
def management_schema() -> Mapping[str, Any]:
    """OpenAPI of the management API, with its ways to authenticate. Made once; nobody may change it."""
    routes = [route for resource in RESOURCES for route in resource.routes]
    document = get_openapi(title=TITLE, version="1", openapi_version=OPENAPI, description=DESCRIPTION, routes=routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = {
        "managementToken": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            public = is_public(RESOURCES, path, method)
            operation["security"] = [] if public else [{"managementToken": []}, {"session": []}]
            if not public:
                operation.setdefault("parameters", []).extend(_HEADERS.get(method, ()))
    return document
