"""A streaming reverse proxy to our own services.

It decides which headers cross, in both directions, and what happens when either side leaves. It must not know what is
asked or answered.
"""

import asyncio
import io
import logging
from collections.abc import Iterable
from typing import Any

import aiohttp
from yarl import URL

from oneapi.runtime.asgi import Receive, Scope, Send
from oneapi.runtime.door.body import ClientGone, read_body
from oneapi.runtime.door.protocol import CLIENT_KEY, Client
from services.edge import refusals
from services.edge.answers import id_headers
from services.edge.arrival import Arrival

logger = logging.getLogger(__name__)

CONNECT_S = 2.0
ADMIN_SILENCE_S = 120.0
IDLE_CONNECTION_S = 3.0
"""Shorter than what our services keep an idle connection for, so that none is used while it is being closed."""
STREAM_TYPE = b"text/event-stream"

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_OURS_TO_SAY = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-oneapi-internal",
        b"x-request-id",
        b"content-length",
        b"expect",
    }
)
_SERVERS_TO_SAY = frozenset({b"date", b"server"})


def crossing(headers: Iterable[tuple[bytes, bytes]], dropped: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    """The headers that may cross: neither hop-by-hop (also those that `Connection` names) nor `dropped`."""
    pairs = [(name.lower(), value) for name, value in headers]
    named = {token.strip().lower() for name, value in pairs if name == b"connection" for token in value.split(b",")}
    return [pair for pair in pairs if pair[0] not in HOP_BY_HOP and pair[0] not in dropped and pair[0] not in named]


class Forwarder:
    """Forwards to one service. `await close()` at the end."""

    def __init__(self, base_url: str, *, silence_s: float | None, body_limit: int) -> None:
        self._base_url = base_url
        self._body_limit = body_limit
        self._listening: set[asyncio.Task[Any]] = set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_CONNECTION_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silence_s),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def close(self) -> None:
        """Ends its connections."""
        await self._session.close()

    def end_listeners(self) -> None:
        """Ends the streams on which a client only waits for what may come: they would outlive any drain."""
        for task in self._listening:
            task.cancel()

    async def forward(self, arrival: Arrival, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on and its answer back. Raises GatewayError until the answer has begun, and
        ClientGone."""
        body = await read_body(receive, arrival.head.content_length, self._body_limit)
        client: Client = scope[CLIENT_KEY]
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is served outside of a task")
        client.on_gone = task.cancel
        try:
            async with self._session.request(
                scope["method"],
                self._url(scope),
                # From a buffer it is written piece by piece, so that a large one does not hold up everybody else.
                data=io.BytesIO(body) if body else None,
                headers=self._request_headers(arrival, scope),
                allow_redirects=False,
            ) as response:
                await self._pass_back(arrival, scope, response, send, task)
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise refusals.service_unavailable() from failure
        except asyncio.CancelledError:
            if not client.gone and task not in self._listening:
                raise
            task.uncancel()
            if client.gone:
                raise ClientGone from None
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            client.on_gone = None
            self._listening.discard(task)

    def _url(self, scope: Scope) -> URL:
        query: bytes = scope["query_string"]
        target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
        return URL(self._base_url + target.decode("ascii"), encoded=True)

    @staticmethod
    def _request_headers(arrival: Arrival, scope: Scope) -> list[tuple[str, str]]:
        pairs = crossing(scope["headers"], _OURS_TO_SAY)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
        host = next((value for name, value in headers if name == "host"), "")
        headers += [
            ("x-forwarded-for", arrival.address),
            ("x-forwarded-host", host),
            ("x-forwarded-proto", arrival.scheme),
            ("x-request-id", arrival.request_id),
        ]
        return headers

    async def _pass_back(
        self,
        arrival: Arrival,
        scope: Scope,
        response: aiohttp.ClientResponse,
        send: Send,
        task: asyncio.Task[Any],
    ) -> None:
        headers = crossing(response.raw_headers, _SERVERS_TO_SAY)
        if not any(name == b"x-request-id" for name, _ in headers):
            headers += id_headers(arrival.request_id)
        if scope["method"] == "GET" and response.headers.get("Content-Type", "").startswith(STREAM_TYPE.decode()):
            self._listening.add(task)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        try:
            while data := await response.content.readany():
                await send({"type": "http.response.body", "body": data, "more_body": True})
        except (aiohttp.ClientError, TimeoutError) as failure:
            # Too late for an error of ours: the client must see a cut answer, not a complete one.
            logger.warning("a forwarded answer broke off", extra={"fields": {"why": type(failure).__name__}})
            client: Client = scope[CLIENT_KEY]
            client.abort()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
