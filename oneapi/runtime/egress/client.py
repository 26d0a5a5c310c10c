"""An HTTP client for upstreams, for whoever is not on the hot path.

It decides that a client talks to one server and no other, and how much of an answer it takes. Nothing comes from the
environment, no redirect is followed, no cookie kept, nothing decompressed. It must not know what is asked.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import httpcore2
import httpx2

from oneapi.runtime.egress.addresses import EgressRefused, UpstreamAddress
from oneapi.runtime.egress.dial import Dialer
from oneapi.runtime.egress.headers import header_lines
from oneapi.runtime.egress.wire import MAX_HEAD_BYTES, WireBackend, WireStream

MAX_HEADER_COUNT = 100
MAX_CONNECTIONS = 100
KEEP_IDLE_S = 30.0
WAIT_FOR_CONNECTION_S = 5.0
WRITE_S = 10.0
_DEFAULT_PORTS = {"https": 443, "http": 80}
_SET_COOKIE = b"set-cookie"

_FAILURES: dict[type[Exception], type[httpx2.TransportError]] = {
    httpcore2.PoolTimeout: httpx2.PoolTimeout,
    httpcore2.ReadTimeout: httpx2.ReadTimeout,
    httpcore2.WriteTimeout: httpx2.WriteTimeout,
    httpcore2.ReadError: httpx2.ReadError,
    httpcore2.WriteError: httpx2.WriteError,
    httpcore2.LocalProtocolError: httpx2.LocalProtocolError,
    httpcore2.RemoteProtocolError: httpx2.RemoteProtocolError,
}


class AnswerRefused(httpx2.TransportError):
    """The answer is not taken: its head is too large, or it is compressed although it was asked not to be."""


class AnswerTooLarge(AnswerRefused):
    """The answer's body has more bytes than are taken."""


class ServerTransport(httpx2.AsyncBaseTransport):
    """Connections to one server. `max_bytes` bounds each answer's body, `limit_s` each request to its last byte."""

    def __init__(
        self, server: UpstreamAddress, dialer: Dialer, *, max_bytes: int, limit_s: float, connect_s: float
    ) -> None:
        self._server = server
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._pool = httpcore2.AsyncConnectionPool(
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_IDLE_S,
            network_backend=WireBackend(server.place, dialer, connect_s),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The head of one answer, whatever its status; redirects come back as what they are.

        Raises EgressRefused, ssl.SSLError or another OSError when there is no connection, TimeoutError, AnswerRefused,
        and httpx2's other errors.
        """
        url, server = request.url, self._server
        if (url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme)) != (
            server.scheme,
            server.host,
            server.port,
        ):
            raise EgressRefused("this client is for another server")
        until_s = asyncio.get_running_loop().time() + self._limit_s
        asked = httpcore2.Request(
            method=request.method,
            # Without TLS for the library: the backend's connections have it already.
            url=httpcore2.URL(scheme=b"http", host=url.raw_host, port=server.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _told():
            async with asyncio.timeout_at(until_s):
                answer = await self._pool.handle_async_request(asked)
        wire = answer.extensions["network_stream"]
        if isinstance(wire, WireStream):
            wire.head_is_here()
        body = _Body(cast(AsyncIterator[bytes], answer.stream), self._max_bytes, until_s)
        response = httpx2.Response(
            answer.status,
            headers=[pair for pair in answer.headers if pair[0].lower() != _SET_COOKIE],
            stream=body,
            request=request,
        )
        refusal = self._refusal(response, answer.headers)
        if refusal is not None:
            await body.aclose()
            raise refusal
        return response

    async def aclose(self) -> None:
        """Ends the connections, also those in use."""
        await self._pool.aclose()

    def _refusal(self, response: httpx2.Response, headers: list[tuple[bytes, bytes]]) -> AnswerRefused | None:
        if response.status_code < 200:
            return AnswerRefused("another protocol")
        if len(headers) > MAX_HEADER_COUNT or sum(len(name) + len(value) for name, value in headers) > MAX_HEAD_BYTES:
            return AnswerRefused("a head too large")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            return AnswerRefused("a compressed answer")
        length = response.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > self._max_bytes:
            return AnswerTooLarge("an answer too large")
        return None


class _Body(httpx2.AsyncByteStream):
    def __init__(self, body: AsyncIterator[bytes], max_bytes: int, until_s: float) -> None:
        self._body = body
        self._left = max_bytes
        self._until_s = until_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._body)
        while True:
            with _told():
                async with asyncio.timeout_at(self._until_s):
                    piece = await anext(pieces, None)
            if piece is None:
                return
            self._left -= len(piece)
            if self._left < 0:
                raise AnswerTooLarge("an answer too large")
            yield piece

    async def aclose(self) -> None:
        with _told():
            await self._body.aclose()  # type: ignore[attr-defined]  # httpcore's streams have it


@contextmanager
def _told() -> Iterator[None]:
    """httpcore's failures as httpx has them."""
    try:
        yield
    except tuple(_FAILURES) as failure:
        raise _FAILURES[type(failure)](str(failure)) from failure


def make_client(
    transport: httpx2.AsyncBaseTransport, *, headers: Mapping[str, str], silence_s: float
) -> httpx2.AsyncClient:
    """A client over a ServerTransport, or over one that wraps it. Raises ValueError for headers that can't be sent."""
    header_lines(headers.items())
    return httpx2.AsyncClient(
        transport=transport,
        headers={"user-agent": "one-api", "accept-encoding": "identity", **headers},
        timeout=httpx2.Timeout(silence_s, write=WRITE_S, pool=WAIT_FOR_CONNECTION_S),
        follow_redirects=False,
        trust_env=False,
    )
