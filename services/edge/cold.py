"""The FastAPI application: the edge's paths that are not hot, and the schema of all of them.

It decides the shapes of models, receipts and health. Requests come to it through the entrance, which has looked at
their heads. It must not know how conversations are served.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door import refusals as of_door
from oneapi.runtime.health import Readiness, ready_answer
from proto.billing.v1 import billing_pb2, billing_pb2_grpc
from services.edge import listed_models, public_models, refusals, stored_conversations, stored_responses
from services.edge.answers import ALWAYS, error_answer, id_headers
from services.edge.authentication import Authenticator
from services.edge.cold_answers import KEY_IN_SCHEMA, Callers, answer_of, arrival_of, json_answer
from services.edge.inference.endpoints import ADDRESSED_ENDPOINTS, ENDPOINTS, STREAM, Endpoint
from services.edge.public_models import PublicModels
from services.edge.sandbox.endpoints import ENDPOINTS as SANDBOX_ENDPOINTS
from services.edge.state.keeper import Keeper

RECEIPT_LIMIT_S = 3.0
SCHEMA_PATH = "/v1/openapi.json"


def make_app(
    authenticator: Authenticator,
    billing: "billing_pb2_grpc.BillingAsyncStub",
    readiness: Readiness,
    keeper: Keeper,
    models: PublicModels,
    *,
    body_limit: int,
    allow_private: bool,
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
    _add_receipts(app, authenticator, billing)
    callers = Callers(authenticator, body_limit)
    listed_models.add(app, callers)
    public_models.add(app, models)
    stored_responses.add(app, callers, keeper.responses)
    stored_conversations.add(app, callers, keeper.conversations, allow_private=allow_private)
    _add_health(app, readiness)
    _add_hot_schema(app)
    return app


def _add_errors(app: FastAPI) -> None:
    def write(request: Request, error: GatewayError, more: Mapping[str, str] | None = None) -> Response:
        arrival = arrival_of(request)
        theirs = {"anthropic": arrival.anthropic, "google": arrival.google}
        headers, body = error_answer(arrival.raw_path, error, arrival.request_id, **theirs)
        answer = answer_of(error.status, headers, body)
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


def _add_receipts(app: FastAPI, authenticator: Authenticator, billing: "billing_pb2_grpc.BillingAsyncStub") -> None:
    @app.get(
        "/v1/receipts/{request_id}",
        summary="What a request of this key cost, and why",
        tags=["receipts"],
        dependencies=KEY_IN_SCHEMA,
    )
    async def get_receipt(request: Request, request_id: str) -> Response:
        arrival = arrival_of(request)
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
        return answer_of(200, headers, receipt.json)


def _add_health(app: FastAPI, readiness: Readiness) -> None:
    @app.get("/healthz", summary="Whether the process lives", tags=["health"])
    async def healthz(request: Request) -> Response:
        return json_answer(request, {"status": "ok"})

    @app.get("/readyz", summary="Whether requests can be served", tags=["health"])
    async def readyz(request: Request) -> Response:
        status, body = ready_answer(readiness)
        answer = json_answer(request, body)
        answer.status_code = status
        return answer


def _add_hot_schema(app: FastAPI) -> None:
    """The hot paths and the sandbox are served before FastAPI is asked; here they are only described."""

    async def served_elsewhere() -> Response:
        raise of_door.path_not_found()

    def describe(
        endpoint: Endpoint,
        operation: str,
        needed: list[str],
        parameters: Sequence[dict[str, Any]] = (),
        *,
        path: bytes = b"",
        keyless: bool = False,
    ) -> None:
        app.add_api_route(
            (path or endpoint.path).decode(),
            served_elsewhere,
            methods=["POST"],
            summary=endpoint.summary,
            tags=["sandbox" if keyless else "inference"],
            dependencies=[] if keyless else KEY_IN_SCHEMA,
            operation_id=operation,
            openapi_extra={
                "parameters": list(parameters),
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"type": "object", "required": needed}}},
                },
            },
        )

    for endpoint in ENDPOINTS.values():
        describe(endpoint, endpoint.name, ["model"])
    for path, endpoint in SANDBOX_ENDPOINTS.items():
        describe(endpoint, f"sandbox_{endpoint.name}", ["model"], path=path, keyless=True)
    model = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    framing = {"name": "alt", "in": "query", "schema": {"enum": ["sse", "json"], "default": "json"}}
    for verb, endpoint in ADDRESSED_ENDPOINTS.items():
        needed = [] if endpoint.counts else ["contents"]
        describe(endpoint, verb.decode(), needed, [model, framing] if verb == STREAM else [model])
