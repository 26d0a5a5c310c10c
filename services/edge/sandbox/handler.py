"""Serves the sandbox: one request from its head to its answer.

It decides the order of the steps, and what every answer here says in its head. A credential is never looked at. It must
not know what the model says.
"""

import asyncio
import functools
from collections.abc import Sequence

from oneapi.dialects.errors import GatewayError
from oneapi.runtime import semconv
from oneapi.runtime.asgi import Receive, Scope, Send
from oneapi.runtime.door.body import read_body
from oneapi.runtime.door.protocol import CLIENT_KEY, Client
from oneapi.runtime.door.refusals import path_not_found
from oneapi.runtime.metrics import counter
from services.edge import refusals
from services.edge.answers import Headers, id_headers, send_error, send_whole
from services.edge.arrival import Arrival
from services.edge.inference.endpoints import Endpoint
from services.edge.inference.handler import JSON_TYPE
from services.edge.inference.relay import JSON_HEADERS, NOSNIFF, STREAM_HEADERS
from services.edge.sandbox import cross_origin, playing, question
from services.edge.sandbox.endpoints import ENDPOINTS
from services.edge.sandbox.limits import BODY_BYTES, Limits

POST, OPTIONS = "POST", "OPTIONS"
SLOW_S = 2.0
"""So long the slowest answer takes, all its pauses together."""
READING_S = 60.0
"""How long a client may take to read an answer. Then it is cut: slow readers must not hold the places of all."""
REQUESTS = counter(semconv.METRIC_SANDBOX_REQUESTS, "Requests to the sandbox", ("format", "status"))
_requests = functools.cache(REQUESTS.labels)


class Sandbox:
    """The sandbox of this process."""

    def __init__(self, body_limit: int, reading_s: float = READING_S) -> None:
        self._limits = Limits()
        self._reading_s = reading_s
        self._body_limit = min(body_limit, BODY_BYTES)

    async def serve(self, arrival: Arrival, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request below the sandbox's prefix. Raises ClientGone when the client left before it was
        complete."""
        endpoint = ENDPOINTS.get(arrival.raw_path)
        if endpoint is None:
            await _refuse(arrival, send, path_not_found())
        elif scope["method"] == OPTIONS:
            headers = [*cross_origin.PREFLIGHT, *_headers(arrival, endpoint)]
            await send({"type": "http.response.start", "status": 204, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif scope["method"] != POST:
            allow = (b"allow", cross_origin.METHODS)
            await _refuse(arrival, send, refusals.method_not_allowed(), more=(allow,))
        else:
            await self._post(arrival, endpoint, scope, receive, send)

    async def _post(self, arrival: Arrival, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0
        try:
            with self._limits.place(arrival.address):
                await self._steps(arrival, endpoint, scope, receive, send)
            status = 200
        except GatewayError as error:
            status = error.status
            await _refuse(arrival, send, error)
        finally:
            _requests(endpoint.name, status or "none").inc()

    async def _steps(self, arrival: Arrival, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        head = arrival.head
        if head.content_encoding:
            raise refusals.unsupported_content_encoding()
        if head.content_type.partition(b";")[0].strip().lower() != JSON_TYPE:
            raise refusals.unsupported_content_type()
        body = await read_body(receive, head.content_length, self._body_limit)
        with self._limits.work():
            asked = question.read(endpoint.dialect, body)
            pieces = playing.pieces(endpoint.dialect, asked)
        pause_s = SLOW_S / len(pieces) if asked.scenario.slow else 0.0
        headers = _headers(arrival, endpoint)
        client = scope[CLIENT_KEY]
        too_slow = asyncio.get_running_loop().call_later(self._reading_s, client.abort)
        try:
            if asked.stream:
                await _stream(client, send, [*STREAM_HEADERS, *headers], pieces, pause_s)
            else:
                await asyncio.sleep(pause_s)
                await send_whole(send, 200, [*JSON_HEADERS, *headers], pieces[0])
        finally:
            too_slow.cancel()


async def _stream(client: Client, send: Send, headers: Headers, pieces: Sequence[bytes], pause_s: float) -> None:
    """Others get their turn between two pieces, as with a network."""
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for place, piece in enumerate(pieces, 1):
        await asyncio.sleep(pause_s)
        if client.gone:
            return
        await send({"type": "http.response.body", "body": piece, "more_body": place < len(pieces)})


def _headers(arrival: Arrival, endpoint: Endpoint) -> Headers:
    return [NOSNIFF, *id_headers(arrival.request_id, endpoint.dialect), *cross_origin.ANY_ORIGIN]


async def _refuse(
    arrival: Arrival,
    send: Send,
    error: GatewayError,
    *,
    more: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    own = (*cross_origin.ANY_ORIGIN, *more)
    await send_error(send, arrival.raw_path, error, arrival.request_id, anthropic=arrival.anthropic, more=own)
