"""Serves endpoints that anyone may call: the one place that knows their methods, CORS, sizes and rates.

In front of the documents. It decides how often one address may ask, and that every failure reaches the caller in the
form of the protocol that it speaks. It must not know what is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oneapi.dialects import json_guard
from oneapi.dialects.errors import GatewayError
from oneapi.runtime.asgi import AsgiApp, Receive, Scope, Send
from oneapi.runtime.door.body import ClientGone, read_body
from services.admin.public.bounds import Bounds
from services.admin.public.reading import PublicReader
from services.admin.public.site import Public
from services.admin.web import problems
from services.admin.web.entrance import head_of, source_of_request
from services.admin.web.problems import Problem
from services.admin.web.public_documents import DocumentRoute

MAX_BODY = 64 * 1024
MAX_DEPTH = 32
MAX_NODES = 5_000
STREAM = "text/event-stream"
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Question:
    """One request. `path` is what follows the endpoint's own path; `body` is read already."""

    request: Request
    path: str
    body: bytes
    public: Public


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`refuse` puts a failure into the caller's format. With `below`, paths under it are its own as well.

    `passes` tells which requests are not for it, and `beside` by which methods those come; `any_origin` lets pages of
    every site call it.
    """

    path: str
    methods: tuple[str, ...]
    handle: Callable[[Question], Response]
    refuse: Callable[[Problem, Request], Response]
    request_headers: tuple[str, ...] = ("Content-Type",)
    below: bool = False
    any_origin: bool = True
    beside: tuple[str, ...] = ()
    passes: Callable[[Request], bool] = lambda _request: False


class PublicEndpoints:
    """In front of `app`, which gets every request that is for no endpoint."""

    def __init__(
        self,
        app: AsgiApp,
        reader: PublicReader,
        endpoints: Sequence[Endpoint],
        origins: frozenset[str],
        bounds: Bounds,
    ) -> None:
        self._app = app
        self._reader = reader
        self._exact = {endpoint.path: endpoint for endpoint in endpoints}
        self._below = tuple(endpoint for endpoint in endpoints if endpoint.below)
        self._routes = {endpoint.path: DocumentRoute(endpoint.path) for endpoint in endpoints}
        self._origins = origins
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        endpoint = self._find(scope["path"])
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if endpoint.passes(request) or _asks_for_beside(endpoint, request):
            await self._app(scope, receive, send)
            return
        scope["route"] = self._routes[endpoint.path]
        try:
            response = await self._serve(endpoint, request)
        except ClientGone:
            return
        except HTTPException as problem:
            response = endpoint.refuse(problems.of_http(problem), request)
        except GatewayError as error:
            response = endpoint.refuse(problems.of_gateway(error), request)
        except Exception as error:  # nobody else would answer  # noqa: BLE001
            response = endpoint.refuse(problems.of_unexpected(error), request)
        self._allow_origin(endpoint, request, response)
        await response(scope, receive, send)

    def _find(self, path: str) -> Endpoint | None:
        found = self._exact.get(path)
        if found is not None:
            return found
        return next((endpoint for endpoint in self._below if path.startswith(endpoint.path + "/")), None)

    async def _serve(self, endpoint: Endpoint, request: Request) -> Response:
        allowed = ", ".join([*endpoint.beside, *endpoint.methods, "OPTIONS"])
        if not endpoint.any_origin and not self._is_own(request):
            raise Problem(403, "foreign_origin", "Requests from pages of other sites are refused.")
        if request.method == "OPTIONS":
            return Response(
                status_code=204,
                headers={
                    "Access-Control-Allow-Methods": allowed,
                    "Access-Control-Allow-Headers": ", ".join(endpoint.request_headers),
                    "Access-Control-Max-Age": "86400",
                },
            )
        if request.method not in endpoint.methods:
            raise Problem(405, "method_not_allowed", "This method is not for this path.", headers={"Allow": allowed})
        wait_s = self._bounds.wait_s(source_of_request(request))
        if wait_s > 0:
            raise problems.too_many(wait_s)
        body = await read_body(request.receive, head_of(request).content_length, MAX_BODY)
        public = await self._reader.current()
        with self._bounds.work():
            response = endpoint.handle(Question(request, request.scope["path"][len(endpoint.path) :], body, public))
        response.headers["X-Catalog-Revision"] = public.view.revision
        return response

    def _is_own(self, request: Request) -> bool:
        given = request.headers.getlist("origin")
        return not given or (len(given) == 1 and given[0].lower() in self._origins)

    def _allow_origin(self, endpoint: Endpoint, request: Request, response: Response) -> None:
        if endpoint.any_origin:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Expose-Headers"] = "X-Catalog-Revision, Retry-After"
        elif "origin" in request.headers:
            response.headers["Vary"] = "Origin"
            if self._is_own(request):
                response.headers["Access-Control-Allow-Origin"] = request.headers["origin"]


def _asks_for_beside(endpoint: Endpoint, request: Request) -> bool:
    """Whether a browser asks if it may send what is not for the endpoint, but for what is at the same path."""
    return request.method == "OPTIONS" and request.headers.get("access-control-request-method") in endpoint.beside


def media_type(request: Request) -> str:
    """That of the body, without parameters; empty when it isn't told."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_media_type(request: Request, media_types: tuple[str, ...]) -> None:
    """Raises Problem 415 for a body of another type, or one that is compressed."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if media_type(request) not in media_types or encoding != "identity":
        raise Problem(415, "unsupported_media_type", f"The body must be {media_types[0]}, and not compressed.")


def json_body(question: Question, media_types: tuple[str, ...] = ("application/json",)) -> Any:
    """The value of a body. Raises Problem: 415 another type, 400 what is no JSON, too deep, or too much."""
    check_media_type(question.request, media_types)
    try:
        return json_guard.decode(question.body, MAX_DEPTH, MAX_NODES)
    except (ValueError, RecursionError):
        raise Problem(400, "invalid_json", "The body is not JSON that can be read.") from None
