"""How a route of the management API is called: authenticate, authorize, read the body strictly, then run it as a call.

A route says what it asks of its caller with `@asks(Access…)`; one that says nothing can't be mounted. The order
matters: who may not ask learns nothing about what was wrong with the question. This module must not know any resource.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from services.admin.identity.authentication import Presented, Unauthenticated
from services.admin.identity.principals import Access
from services.admin.parts import Parts
from services.admin.web import json_body, problems
from services.admin.web.call import DRY_RUN_HEADER, Call, claim
from services.admin.web.problems import MEDIA_TYPE, ProblemBody

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
BODIES = frozenset({"POST", "PUT", "PATCH"})
_ASKED = "__admin_access__"


def asks(access: Access) -> Callable[[Endpoint], Endpoint]:
    """Says what a route asks of its caller."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ASKED, access)
        return endpoint

    return mark


class ManagementRoute(APIRoute):
    """A route whose handler takes a `Call`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, wrapped. Raises RuntimeError when the route doesn't say what it asks."""
        inner = super().get_route_handler()
        access = access_of(self)

        async def handle(request: Request) -> Response:
            parts: Parts = request.app.state.parts
            if not all(value.isprintable() for value in request.path_params.values()):
                raise problems.not_found()
            principal = None if access is Access.PUBLIC else await parts.authenticator.principal(presented_by(request))
            if principal is not None and not principal.may(access):
                raise problems.forbidden(f"This needs {access.value}.")
            body = b""
            if request.method in BODIES:
                request = await json_body.read(request)
                body = await request.body()
            call = Call(parts, request.state.observation, principal)
            request.state.call = call
            if principal is not None and request.headers.get(DRY_RUN_HEADER) == "1":
                return await call.run_dry(inner, request)
            keyed = principal if request.method == "POST" else None
            return await call.run(inner, request, None if keyed is None else claim(keyed, request, body))

        return handle


def access_of(route: APIRoute) -> Access:
    """What a route asks of its caller. Raises RuntimeError when it doesn't say."""
    access = getattr(route.endpoint, _ASKED, None)
    if not isinstance(access, Access):
        raise RuntimeError(f"{route.path} does not say what it asks of its caller")  # noqa: TRY004 - a missing mark
    return access


def is_public(routers: Iterable[APIRouter], path: str, method: str) -> bool:
    """Whether the operation of an OpenAPI document asks nothing of its caller."""
    return any(
        isinstance(route, ManagementRoute)
        and route.path_format == path
        and method.upper() in (route.methods or ())
        and access_of(route) is Access.PUBLIC
        for router in routers
        for route in router.routes
    )


def presented_by(request: Request) -> Presented:
    """What the request shows of itself."""
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, []).append(value)
    return Presented(request.method, headers)


def _current(request: Request) -> Call:
    call = getattr(request.state, "call", None)
    if not isinstance(call, Call):
        raise Unauthenticated
    return call


CallDep = Annotated[Call, Depends(_current)]
"""The current call, as a handler's argument."""

_PROBLEMS = {
    400: "The body is not valid JSON, or a header is malformed",
    401: "No valid management token or session",
    403: "The role is not enough",
    404: "There is no such thing, or not for this caller",
    409: "The state of things doesn't allow it, or the same Idempotency-Key is still running",
    413: "The body is too large",
    414: "The address is too long",
    415: "The body is not application/json",
    422: "Unknown or unacceptable fields, or the Idempotency-Key was used for another request",
    429: "Too many failed logins, or bad credentials from this address",
    431: "The headers are too large",
    500: "Something failed",
    503: "The database or another service does not answer",
}


def problem_responses() -> dict[int | str, dict[str, Any]]:
    """Error responses for OpenAPI: every one is problem+json."""
    schema = {"$ref": f"#/components/schemas/{ProblemBody.model_config['title']}"}
    return {
        status: {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}} for status, text in _PROBLEMS.items()
    }


def resource_router(prefix: str, tag: str) -> APIRouter:
    """The router of one resource."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=ManagementRoute, responses=problem_responses())
