"""What all of the edge's paths that are not hot have in common: who asks, with what body, and how an answer is written.

It must not know what any of them serves.
"""

from typing import Any

import msgspec
from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer

from oneapi.dialects.request import decode
from oneapi.runtime.door.body import read_body
from services.edge import refusals
from services.edge.answers import ALWAYS, ANTHROPIC, Headers, id_headers
from services.edge.arrival import Arrival
from services.edge.authentication import Authenticator, Caller

ARRIVAL_KEY = "oneapi.arrival"
JSON_TYPE = b"application/json"
KEY_IN_SCHEMA = [Depends(HTTPBearer(scheme_name="relay key", auto_error=False))]
"""For the schema only: keys are checked by the authenticator, wherever a client puts them."""


def arrival_of(request: Request) -> Arrival:
    """The request as it came through the door."""
    arrival: Arrival = request.scope[ARRIVAL_KEY]
    return arrival


def answer_of(status: int, headers: Headers, body: bytes) -> Response:
    """An answer of these bytes."""
    return Response(body, status, {name.decode("latin-1"): value.decode("latin-1") for name, value in headers})


def json_answer(request: Request, value: Any) -> Response:
    """A good answer."""
    arrival = arrival_of(request)
    dialect = ANTHROPIC if arrival.anthropic else ""
    headers = [(b"content-type", JSON_TYPE), *ALWAYS, *id_headers(arrival.request_id, dialect)]
    return answer_of(200, headers, msgspec.json.encode(value))


class Callers:
    """Who asks, and with what. Nothing of a request is read before its caller is known."""

    def __init__(self, authenticator: Authenticator, body_limit: int) -> None:
        self._authenticator = authenticator
        self._body_limit = body_limit

    async def find(self, request: Request) -> Caller:
        """The caller. Raises GatewayError 401, 429, 503."""
        arrival = arrival_of(request)
        return await self._authenticator.authenticate(arrival.head.credential, arrival.address)

    async def with_body(self, request: Request) -> tuple[Caller, dict[str, Any]]:
        """The caller and the JSON object that it sent; nothing at all is an empty one. Raises GatewayError."""
        caller = await self.find(request)
        head = arrival_of(request).head
        if head.content_encoding:
            raise refusals.unsupported_content_encoding()
        body = await read_body(request.receive, head.content_length, self._body_limit)
        if not body:
            return caller, {}
        if head.content_type.partition(b";")[0].strip().lower() != JSON_TYPE:
            raise refusals.unsupported_content_type()
        return caller, decode(body)
