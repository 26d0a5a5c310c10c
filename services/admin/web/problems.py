"""Errors as RFC 9457 problem+json, the only shape that an error of this service has.

Decides which failure gets which status and code. A problem's text never holds what the caller sent, a stack, SQL or an
address. This module must not know any resource.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.door.body import ClientGone
from services.admin.identity.authentication import CrossSite, Unauthenticated
from services.admin.reports.clients import ReportMissing, ReportRefused, ReportUnavailable
from services.admin.store.changes import EntryTooLarge
from services.admin.store.database import NotPrepared
from services.admin.store.listing import BadCursor

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:oneapi:problem:"
RETRY_AFTER_S = 1
MAX_FIELD_ERRORS = 50
MAX_FIELD_NAME = 64


class FieldError(BaseModel):
    """One field that was refused."""

    field: str
    message: str


class ProblemBody(BaseModel):
    """An error. `code` is stable; `detail` is for people."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[FieldError] | None = None


class Problem(HTTPException):
    """Ends a request with an error. `code` is stable, `detail` is a sentence for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.errors = errors


def not_found() -> Problem:
    """For what is not there, and alike for what the caller may not see."""
    return Problem(404, "not_found", "There is no such thing here.")


def invalid(field: str, message: str, code: str = "invalid_field") -> Problem:
    """For a field whose value can't be accepted."""
    return Problem(422, code, f"{field}: {message}.", errors=((field, message),))


def conflict(code: str, detail: str) -> Problem:
    """For a change that the state of things doesn't allow."""
    return Problem(409, code, detail)


def forbidden(detail: str, code: str = "forbidden") -> Problem:
    """For a known caller whose role is not enough."""
    return Problem(403, code, detail)


def unavailable(what: str, detail: str) -> Problem:
    """For a part of the gateway that doesn't answer now."""
    return Problem(503, f"{what}_unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def too_many(wait_s: float) -> Problem:
    """For one who asks more often than anybody may."""
    return Problem(
        429,
        "too_many_requests",
        "Too many requests from this address, or of all.",
        headers={"Retry-After": str(max(math.ceil(wait_s), 1))},
    )


def unauthenticated() -> Problem:
    """One and the same answer to every bad credential."""
    return Problem(
        401,
        "unauthenticated",
        "A valid management token or session is required.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def respond(problem: Problem, request_id: str) -> Response:
    """The response of a problem."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.code,
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "code": problem.code,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = [{"field": field, "message": message} for field, message in problem.errors]
    return Response(msgspec.json.encode(body), problem.status_code, problem.headers, MEDIA_TYPE)


def of_validation(error: RequestValidationError) -> Problem:
    """Unknown, missing or unacceptable fields, named without their values."""
    found: list[tuple[str, str]] = []
    for item in error.errors()[:MAX_FIELD_ERRORS]:
        where = [str(part) for part in item["loc"][1:]] or [str(item["loc"][0])]
        message = "is not a known field" if item["type"] == "extra_forbidden" else str(item["msg"])
        found.append((".".join(where)[:MAX_FIELD_NAME], message.removeprefix("Value error, ")))
    unknown = bool(found) and all(message == "is not a known field" for _, message in found)
    code = "unknown_field" if unknown else "invalid_request"
    return Problem(422, code, "The request has fields that can't be accepted.", errors=found)


def of_http(error: HTTPException) -> Problem:
    """What the framework raises itself: unmatched paths, wrong methods."""
    if isinstance(error, Problem):
        return error
    codes = {404: "not_found", 405: "method_not_allowed"}
    details = {404: "There is no such thing here.", 405: "This method is not for this path."}
    status = error.status_code
    detail = details.get(status, HTTPStatus(status).phrase)
    return Problem(status, codes.get(status, "refused"), detail, headers=error.headers)


def of_database(error: Exception) -> Problem | None:
    """503 when the database can't be reached or is busy; None for errors of ours."""
    if isinstance(error, NotPrepared | PoolTimeout | OSError | TimeoutError):
        return unavailable("database", "The database does not answer; nothing was changed.")
    if isinstance(error, DBAPIError):
        kind = type(error).__name__
        if error.connection_invalidated or kind in {"OperationalError", "InterfaceError"}:
            return unavailable("database", "The database does not answer; nothing was changed.")
    return None


def of_gateway(error: GatewayError) -> Problem:
    """What the door refuses."""
    headers = {} if error.retry_after_s is None else {"Retry-After": str(round(error.retry_after_s))}
    return Problem(error.status, error.code, error.message, headers=headers)


def install(app: FastAPI, bad_credential: Callable[[Request], Problem]) -> None:
    """Makes every error of the application a problem; that of a bad credential is the caller's to choose."""

    def request_id(request: Request) -> str:
        return str(request.scope.get("state", {}).get("request_id", ""))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - how handlers are registered below
        return respond(of_http(error), request_id(request))

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - how handlers are registered below
        return respond(of_validation(error), request_id(request))

    async def on_unauthenticated(request: Request, _error: Exception) -> Response:
        return respond(bad_credential(request), request_id(request))

    async def on_refused_by_door(request: Request, error: Exception) -> Response:
        assert isinstance(error, GatewayError)  # noqa: S101 - how handlers are registered below
        return respond(of_gateway(error), request_id(request))

    async def on_gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=400)  # for the count alone: there is nobody to answer

    async def on_cross_site(request: Request, _error: Exception) -> Response:
        problem = forbidden("A change with a session cookie must come from the console's own pages.", "cross_site")
        return respond(problem, request_id(request))

    async def on_missing(request: Request, _error: Exception) -> Response:
        return respond(not_found(), request_id(request))

    async def on_refused(request: Request, _error: Exception) -> Response:
        refused = Problem(422, "report_refused", "The report can't be made with these parameters.")
        return respond(refused, request_id(request))

    async def on_unavailable(request: Request, error: Exception) -> Response:
        return respond(unavailable(str(error), f"The service {error} does not answer."), request_id(request))

    async def on_unexpected(request: Request, error: Exception) -> Response:
        return respond(of_unexpected(error), request_id(request))

    async def on_too_large(request: Request, _error: Exception) -> Response:
        too_large = Problem(422, "entry_too_large", "This is more than one entry of the catalog can hold.")
        return respond(too_large, request_id(request))

    async def on_cursor(request: Request, _error: Exception) -> Response:
        return respond(invalid("cursor", "is not a cursor of this list"), request_id(request))

    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(Unauthenticated, on_unauthenticated)
    app.add_exception_handler(GatewayError, on_refused_by_door)
    app.add_exception_handler(ClientGone, on_gone)
    app.add_exception_handler(CrossSite, on_cross_site)
    app.add_exception_handler(BadCursor, on_cursor)
    app.add_exception_handler(EntryTooLarge, on_too_large)
    app.add_exception_handler(ReportMissing, on_missing)
    app.add_exception_handler(ReportRefused, on_refused)
    app.add_exception_handler(ReportUnavailable, on_unavailable)
    app.add_exception_handler(Exception, on_unexpected)


def of_unexpected(error: Exception) -> Problem:
    """What nobody foresaw: 503 when the database is the cause, else 500; the log has the story, the caller doesn't."""
    known = of_database(error)
    if known is not None:
        logger.warning("the database does not answer", extra={"fields": {"error": type(error).__name__}})
        return known
    logger.error("a request failed", exc_info=error)
    return Problem(500, "internal_error", "Something failed here; it is in the log under the request id.")
