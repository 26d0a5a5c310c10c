"""Carries the HTTP requests of one exchange with a tool server, within bounds.

It decides that redirects and answers of other kinds are refused, and how much may be read. It must not know MCP beyond
its one GET, or how connections are made.
"""

from collections.abc import AsyncIterator
from typing import cast

import httpx2

from services.mcp.upstream.failures import NotMcp, RedirectRefused, ResultTooLarge

MAX_RESULT_BYTES = 4 * 1024 * 1024
ENVELOPE_BYTES = 64 * 1024
"""What a handshake takes, and what JSON-RPC and SSE put around a result."""
MAX_MESSAGES = 2_000
"""Of streams: each costs the gateway more than its bytes."""
_TYPES = ("application/json", "text/event-stream")
_FAREWELL_S = 2.0
_CREDENTIAL_STATUSES = frozenset({401, 403})


class ExchangeTransport(httpx2.AsyncBaseTransport):
    """The transport of one exchange; `pool` holds the server's connections and outlives it.

    All answers of the exchange share its bounds. `cause` keeps the first refusal: the layers above turn exceptions into
    silence or into their own words. `status` is that of the last answer when it was an error of HTTP alone, else 0.
    """

    def __init__(self, pool: httpx2.AsyncBaseTransport) -> None:
        self._pool = pool
        self._bytes_left = MAX_RESULT_BYTES + ENVELOPE_BYTES
        self._messages_left = MAX_MESSAGES
        self.cause: Exception | None = None
        self.status = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request and the head of its answer. Raises a refusal of `failures`, or what the pool raises."""
        if request.method == "GET" and "last-event-id" not in request.headers:
            # The stream of what a server says unasked: nobody would hear it, so the server is not asked for it.
            return httpx2.Response(405, request=request)
        if request.method == "DELETE":
            # The farewell of a session: the answer is there already, and must not wait for it.
            timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _FAREWELL_S)
            request.extensions = {**request.extensions, "timeout": timeouts}
        try:
            response = await self._pool.handle_async_request(request)
            await self._check(response)
        except Exception as cause:  # whatever it is goes on; it is only remembered before others reword it
            self.cause = self.cause or cause
            raise
        is_json = response.headers.get("content-type", "").startswith("application/json")
        failed = response.status_code >= 400 and (not is_json or response.status_code in _CREDENTIAL_STATUSES)
        self.status = response.status_code if failed else 0
        response.stream = _Bounded(cast(httpx2.AsyncByteStream, response.stream), self)
        return response

    async def aclose(self) -> None:
        """The pool stays open: it is the server's."""

    def take(self, chunk: bytes) -> None:
        """Counts what is read of an answer. Raises ResultTooLarge beyond the bounds."""
        self._bytes_left -= len(chunk)
        self._messages_left -= chunk.count(b"\n\n") + chunk.count(b"\r\n\r\n")
        if self._bytes_left < 0 or self._messages_left < 0:
            raise ResultTooLarge

    async def _check(self, response: httpx2.Response) -> None:
        refusal: Exception | None = None
        if response.is_redirect:
            refusal = RedirectRefused()
        elif response.status_code == 200 and not response.headers.get("content-type", "").startswith(_TYPES):
            refusal = NotMcp()
        if refusal is not None:
            await response.aclose()
            raise refusal


class _Bounded(httpx2.AsyncByteStream):
    """A body that counts for its exchange."""

    def __init__(self, body: httpx2.AsyncByteStream, exchange: ExchangeTransport) -> None:
        self._body = body
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._body:
                self._exchange.take(chunk)
                yield chunk
        except Exception as cause:  # as above
            self._exchange.cause = self._exchange.cause or cause
            raise

    async def aclose(self) -> None:
        await self._body.aclose()
