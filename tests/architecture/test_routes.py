"""The rows of `services/admin/public/routes.py` are the routes that the gateway has: no row too many, none missing."""

from types import SimpleNamespace
from typing import Any, cast

from fastapi.routing import APIRoute

from services.admin.application import RESOURCES
from services.admin.public.a2a import PATH as A2A_PATH
from services.admin.public.registry import DOCUMENTS
from services.admin.public.routes import ROUTES, Auth, Format, Group, Route
from services.admin.web.endpoints.a2a import OPERATIONS
from services.admin.web.endpoints.registry import public_endpoints
from services.admin.web.routes import is_public
from services.edge.answers import dialect_of
from services.edge.cold import SCHEMA_PATH, make_app
from services.edge.paths import Owner, owner_of
from services.mcp.door import PATH as MCP_PATH

NAMED = {"GET", "POST"}
"""Methods of endpoints that rows name: HEAD goes without saying."""
DIALECTS = {
    Format.CHAT: "openai_chat",
    Format.RESPONSES: "openai_responses",
    Format.EMBEDDINGS: "openai_embeddings",
    Format.MESSAGES: "anthropic_messages",
    Format.GEMINI: "gemini_generate",
}

Key = tuple[str, str]


def edges() -> dict[Key, Any]:
    """Every path that the edge itself answers; the hot ones are in the same schema."""
    nothing = cast(Any, None)
    keeper = cast(Any, SimpleNamespace(responses=None, conversations=None))
    schema = make_app(nothing, nothing, nothing, keeper, nothing, body_limit=1, allow_private=False).openapi()
    found = {(method.upper(), path): value for path, ways in schema["paths"].items() for method, value in ways.items()}
    return {**found, ("GET", SCHEMA_PATH): {}}


def admins() -> dict[Key, APIRoute]:
    """Every route of its application but its own health, and documents that its handlers answer for some."""
    routes = [route for router in RESOURCES for route in router.routes if isinstance(route, APIRoute)]
    documents = {document.path for document in DOCUMENTS}
    return {
        (method, route.path_format): route
        for route in routes
        for method in route.methods or ()
        if route.path_format not in documents
    }


def endpoints() -> set[Key]:
    """What anyone may call. Of A2A those operations that have a good answer."""
    found = {
        (method, each.path)
        for each in public_endpoints(DOCUMENTS)
        for method in each.methods
        if method in NAMED and not each.below
    }
    messages = {
        (method, A2A_PATH + path)
        for method, pattern, _name in OPERATIONS
        for path in ("/message:send", "/message:stream")
        if pattern.fullmatch(path)
    }
    return found | messages | {("POST", A2A_PATH)}


ROWS = {(route.method, route.path): route for route in ROUTES}


def test_every_row_is_one() -> None:
    assert len(ROWS) == len(ROUTES)
    names = [route.operation_id for route in ROUTES]
    assert len(set(names)) == len(names)
    assert all(route.summary and not route.summary.endswith(".") for route in ROUTES)
    of_documents = {("GET", document.path) for document in DOCUMENTS}
    assert not of_documents & ROWS.keys()


def test_rows_are_what_is_served() -> None:
    served = edges().keys() | admins().keys() | endpoints() | {("POST", MCP_PATH.decode())}
    assert served - ROWS.keys() == set(), "a route without a row"
    assert ROWS.keys() - served == set(), "a row without a route"


def test_rows_say_who_may_ask() -> None:
    needed = {key: "security" in operation for key, operation in edges().items()}
    for key, route in ROWS.items():
        if key in needed:
            assert (route.auth is Auth.RELAY_KEY) is needed[key], route
        elif key in admins():
            public = is_public(RESOURCES, route.path, route.method)
            assert route.auth is (Auth.NONE if public else Auth.MANAGEMENT), route


def test_rows_say_whose_they_are() -> None:
    def owner(path: str) -> Owner:
        return owner_of(path.replace("{", "").replace("}", "").encode())

    for route in ROUTES:
        whose = {Group.MANAGEMENT: Owner.ADMIN, Group.DISCOVERY: Owner.ADMIN, Group.TOOLS: Owner.MCP}.get(
            route.group, Owner.EDGE
        )
        assert owner(route.path) is whose, route
    for document in DOCUMENTS:
        assert owner(document.path) is Owner.ADMIN, document.path


def test_errors_are_in_the_format_of_the_row() -> None:
    def dialect(route: Route) -> str:
        return dialect_of(route.path.encode())

    for route in ROUTES:
        if route.format in DIALECTS:
            assert dialect(route) == DIALECTS[route.format], route
