"""The FastAPI application: the edge's paths that are not hot, and the schema of all of them.

It decides the shapes of models, receipts and health. Requests come to it through the entrance, which has looked at
their heads. It must not know how conversations are served.
"""

from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio
import msgspec
from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door import refusals as of_door
from oneapi.runtime.health import Readiness, ready_answer
from proto.billing.v1 import billing_pb2, billing_pb2_grpc
from services.edge import model_list, refusals
from services.edge.answers import ALWAYS, Headers, error_answer, id_headers
from services.edge.arrival import Arrival
from services.edge.authentication import Authenticator, Caller
from services.edge.inference.endpoints import ADDRESSED_ENDPOINTS, ENDPOINTS, WHOLE, Endpoint
from services.edge.inference.offers import may_use, serving_channels

ARRIVAL_KEY = "oneapi.arrival"
RECEIPT_LIMIT_S = 3.0
SCHEMA_PATH = "/v1/openapi.json"
CHAT = "chat"
KEY_IN_SCHEMA = [Depends(HTTPBearer(scheme_name="relay key", auto_error=False))]
"""For the schema only: keys are checked by the authenticator, wherever a client puts them."""


def make_app(
    authenticator: Authenticator, billing: "billing_pb2_grpc.BillingAsyncStub", readiness: Readiness
) -> FastAPI:
    """The application. It expects an `Arrival` in each scope."""
    app = FastAPI(
        title="One API",
        version="1",
        openapi_url=SCHEMA_PATH,
        docs_url=None,
        redoc_url=None,
        # One path is one thing: a slash more is another one, and not found.
        redirect_slashes=False,
    )
    _add_errors(app)
    _add_models(app, authenticator)
    _add_receipts(app, authenticator, billing)
    _add_health(app, readiness)
    _add_hot_schema(app)
    return app


def visible_models(caller: Caller) -> list[str]:
    """The models that this caller may use, sorted."""
    return [model for model in caller.view.models() if may_use(caller, model) and serving_channels(caller, model)]


def _arrival(request: Request) -> Arrival:
    arrival: Arrival = request.scope[ARRIVAL_KEY]
    return arrival


def _answer(status: int, headers: Headers, body: bytes) -> Response:
    return Response(body, status, {name.decode("latin-1"): value.decode("latin-1") for name, value in headers})


def _json(request: Request, value: Any) -> Response:
    headers = [(b"content-type", b"application/json"), *ALWAYS, *id_headers(_arrival(request).request_id)]
    return _answer(200, headers, msgspec.json.encode(value))


def _add_errors(app: FastAPI) -> None:
    def write(request: Request, error: GatewayError, more: Mapping[str, str] | None = None) -> Response:
        arrival = _arrival(request)
        theirs = {"anthropic": arrival.anthropic, "google": arrival.google}
        headers, body = error_answer(arrival.raw_path, error, arrival.request_id, **theirs)
        answer = _answer(error.status, headers, body)
        answer.headers.update(more or {})
        return answer

    async def on_error(request: Request, error: Exception) -> Response:
        if isinstance(error, GatewayError):
            return write(request, error)
        if isinstance(error, HTTPException) and error.status_code == 405:
            return write(request, refusals.method_not_allowed(), error.headers)
        return write(request, of_door.path_not_found())

    app.add_exception_handler(GatewayError, on_error)
    app.add_exception_handler(HTTPException, on_error)


def _add_models(app: FastAPI, authenticator: Authenticator) -> None:
    """Lists in the shape that the path has, or that the client says it knows: Google's SDKs ask below /v1 as well."""

    @app.get("/v1/models", summary="Models that this key may use", tags=["models"], dependencies=KEY_IN_SCHEMA)
    async def list_models(request: Request) -> Response:
        caller = await _caller(authenticator, request)
        if _arrival(request).google:
            return _google_list(request, caller)
        models = visible_models(caller)
        if not _arrival(request).anthropic:
            return _json(request, model_list.openai_list(models))
        try:
            return _json(request, model_list.anthropic_list(models, request.query_params))
        except ValueError:
            raise refusals.bad_page() from None

    @app.get("/v1/models/{model:path}", summary="One model", tags=["models"], dependencies=KEY_IN_SCHEMA)
    async def get_model(request: Request, model: str) -> Response:
        caller = await _usable(authenticator, request, model)
        if _arrival(request).google:
            return _json(request, _google_model(caller, model))
        shape = model_list.anthropic_model if _arrival(request).anthropic else model_list.openai_model
        return _json(request, shape(model))

    @app.get("/v1beta/models", summary="Models, as in Google's API", tags=["models"], dependencies=KEY_IN_SCHEMA)
    async def list_google_models(request: Request) -> Response:
        return _google_list(request, await _caller(authenticator, request))

    @app.get(
        "/v1beta/models/{model:path}",
        summary="One model, as in Google's API",
        tags=["models"],
        dependencies=KEY_IN_SCHEMA,
    )
    async def get_google_model(request: Request, model: str) -> Response:
        return _json(request, _google_model(await _usable(authenticator, request, model), model))

    @app.post("/v1beta/models/{model:path}", include_in_schema=False)
    async def post_google_model(model: str) -> Response:
        """The calls that there are never come here: the entrance knows them."""
        if ":" in model:
            raise of_door.path_not_found()
        raise HTTPException(405, headers={"allow": "GET"})


async def _caller(authenticator: Authenticator, request: Request) -> Caller:
    arrival = _arrival(request)
    return await authenticator.authenticate(arrival.head.credential, arrival.address)


async def _usable(authenticator: Authenticator, request: Request, model: str) -> Caller:
    """The caller, who may use this model. Raises GatewayError 404."""
    caller = await _caller(authenticator, request)
    if not (may_use(caller, model) and serving_channels(caller, model)):
        raise refusals.model_not_found(model)
    return caller


def _google_list(request: Request, caller: Caller) -> Response:
    try:
        page, following = model_list.google_page(visible_models(caller), request.query_params)
    except ValueError:
        raise refusals.bad_page_size() from None
    listed = {"models": [_google_model(caller, name) for name in page]}
    return _json(request, {**listed, "nextPageToken": following} if following else listed)


def _google_model(caller: Caller, model: str) -> dict[str, Any]:
    channels = serving_channels(caller, model)
    return model_list.google_model(model, converses=any(CHAT in (each.endpoints or (CHAT,)) for each in channels))


def _add_receipts(app: FastAPI, authenticator: Authenticator, billing: "billing_pb2_grpc.BillingAsyncStub") -> None:
    @app.get(
        "/v1/receipts/{request_id}",
        summary="What a request of this key cost, and why",
        tags=["receipts"],
        dependencies=KEY_IN_SCHEMA,
    )
    async def get_receipt(request: Request, request_id: str) -> Response:
        arrival = _arrival(request)
        caller = await authenticator.authenticate(arrival.head.credential, arrival.address)
        wanted = billing_pb2.GetReceiptRequest(
            request_id=request_id, account_id=caller.account.id, key_id=caller.key.id
        )
        try:
            receipt = await billing.GetReceipt(wanted, timeout=RECEIPT_LIMIT_S)
        except grpc.aio.AioRpcError as failure:
            if failure.code() in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT}:
                raise refusals.receipt_not_found() from None
            raise refusals.service_unavailable() from failure
        headers = [(b"content-type", b"application/json"), *ALWAYS, *id_headers(arrival.request_id)]
        return _answer(200, headers, receipt.json)


def _add_health(app: FastAPI, readiness: Readiness) -> None:
    @app.get("/healthz", summary="Whether the process lives", tags=["health"])
    async def healthz(request: Request) -> Response:
        return _json(request, {"status": "ok"})

    @app.get("/readyz", summary="Whether requests can be served", tags=["health"])
    async def readyz(request: Request) -> Response:
        status, body = ready_answer(readiness)
        answer = _json(request, body)
        answer.status_code = status
        return answer


def _add_hot_schema(app: FastAPI) -> None:
    """The hot paths are served before FastAPI is asked; here they are only described."""

    async def served_elsewhere() -> Response:
        raise of_door.path_not_found()

    def describe(endpoint: Endpoint, operation: str, needed: str, parameters: list[dict[str, Any]]) -> None:
        app.add_api_route(
            endpoint.path.decode(),
            served_elsewhere,
            methods=["POST"],
            summary=endpoint.summary,
            tags=["inference"],
            dependencies=KEY_IN_SCHEMA,
            operation_id=operation,
            openapi_extra={
                "parameters": parameters,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"type": "object", "required": [needed]}}},
                },
            },
        )

    for endpoint in ENDPOINTS.values():
        describe(endpoint, endpoint.name, "model", [])
    model = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    framing = {"name": "alt", "in": "query", "schema": {"enum": ["sse", "json"], "default": "json"}}
    for verb, endpoint in ADDRESSED_ENDPOINTS.items():
        describe(endpoint, verb.decode(), "contents", [model] if verb == WHOLE else [model, framing])
