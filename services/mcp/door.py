"""The HTTP door of the MCP gateway: /mcp for clients with a key, /healthz and /readyz.

It decides who gets past (origin, key, room, size) before anything of MCP is read, and gives every answer a request id.
It must not know tools.
"""

import asyncio
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import INVALID_REQUEST
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from oneapi.catalog.keyring import KeyringUnavailable
from oneapi.dialects.errors import GatewayError
from oneapi.runtime import semconv
from oneapi.runtime.asgi import AsgiApp, Message, Receive, Scope, Send
from oneapi.runtime.client_address import Network, client_address, is_trusted
from oneapi.runtime.door import refusals
from oneapi.runtime.door.answers import retry_after, whole_answer
from oneapi.runtime.door.body import ClientGone, read_body
from oneapi.runtime.door.failures import FailureLimiter
from oneapi.runtime.door.head import Head, inspect
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.door.source import source_of
from oneapi.runtime.health import PATHS, Readiness, asgi
from oneapi.runtime.ids import new_id
from oneapi.runtime.json_rpc import BadMessage, read_message
from oneapi.runtime.metrics import counter
from services.mcp.authentication import Authenticator, BadKey, Caller
from services.mcp.endpoint import CALLER

PATH = b"/mcp"
MAX_BODY_BYTES = 4 * 1024 * 1024
JSON_TYPE = b"application/json"
LIMITS = DoorLimits(body_bytes=MAX_BODY_BYTES)
MAX_REQUESTS_PER_KEY = 64
CHALLENGE = (b"www-authenticate", b'Bearer realm="one-api"')

REFUSED = -32000
"""JSON-RPC has no code for what HTTP's status says already."""

REQUESTS = counter(semconv.METRIC_MCP_REQUESTS, "Requests at the door, by outcome", ("outcome",))


class Refusal(Exception):
    """An answer of the door's own. `outcome` is for counters, `code` is JSON-RPC's."""

    def __init__(
        self,
        status: int,
        outcome: str,
        message: str,
        code: int = REFUSED,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.outcome = outcome
        self.message = message
        self.code = code
        self.headers = headers


def unauthenticated(reason: str) -> Refusal:
    """One answer for every kind of bad key."""
    return Refusal(401, f"key_{reason}", "A valid API key is required.", headers=(CHALLENGE,))


def of_gateway(error: GatewayError, outcome: str = "") -> Refusal:
    """What the door in front says."""
    code = INVALID_REQUEST if error.status < 500 else REFUSED
    return Refusal(error.status, outcome or error.code, error.message, code, headers=retry_after(error))


def whole_refusal(target: bytes, error: GatewayError) -> bytes:
    """The same as a whole answer, where no request has come through."""
    del target
    refusal = of_gateway(error)
    REQUESTS.labels(refusal.outcome).inc()
    return whole_answer(refusal.status, [*_id_headers(new_id("req")), *_headers(refusal)], _body(refusal))


def busy(outcome: str, message: str, status: int = 503) -> Refusal:
    return Refusal(status, outcome, message, headers=((b"retry-after", b"1"),))


class Door:
    """The ASGI application in front of `inner`, the MCP transport."""

    def __init__(
        self,
        inner: AsgiApp,
        authenticator: Callable[[], Authenticator | None],
        readiness: Readiness,
        *,
        origins: frozenset[str],
        trusted: Sequence[Network],
    ) -> None:
        self._inner = inner
        self._authenticator = authenticator
        self._health = asgi(readiness)
        self._origins = origins
        self._trusted = trusted
        self._open: Tally[str] = Tally()
        self._failures = FailureLimiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["raw_path"] in PATHS:
            await self._health(scope, receive, send)
            return
        peer = str((scope.get("client") or ("",))[0])
        answer = _Answer(send)
        try:
            head = _inspect(scope)
            answer.request_id = request_id = self._request_id(head, peer)
            caller = await self._admit(scope, head, peer, request_id)
            with self._room(caller):
                body = await _read_message(head, receive)
                REQUESTS.labels("admitted").inc()
                await self._serve({**scope, CALLER: caller}, body, receive, answer.send)
        except Refusal as refusal:
            REQUESTS.labels(refusal.outcome).inc()
            await answer.refuse(refusal)
        except ClientGone:
            REQUESTS.labels("gone").inc()

    async def _serve(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Lets the inner application answer. A client that leaves cancels the call, since the revision that says so."""
        inner = asyncio.ensure_future(self._inner(scope, _replayed(body), send))
        gone = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({inner, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not inner.done() and _header(scope, MCP_PROTOCOL_VERSION_HEADER.encode()) in MODERN_PROTOCOL_VERSIONS:
                REQUESTS.labels("gone").inc()
                return
            await inner
        finally:
            gone.cancel()
            inner.cancel()
            await asyncio.gather(inner, gone, return_exceptions=True)

    @contextmanager
    def _room(self, caller: Caller) -> Iterator[None]:
        """Counts a request among its key's. Raises Refusal when there are too many."""
        key = caller.key
        if self._open[key.id] >= min(key.limits.concurrency or MAX_REQUESTS_PER_KEY, MAX_REQUESTS_PER_KEY):
            raise busy("concurrency", "This key has too many requests at a time.", status=429)
        self._open[key.id] += 1
        try:
            yield
        finally:
            self._open[key.id] -= 1
            if not self._open[key.id]:
                del self._open[key.id]

    async def _admit(self, scope: Scope, head: Head, peer: str, request_id: str) -> Caller:
        """Who asks. Raises Refusal."""
        origin = _header(scope, b"origin")
        if origin is not None and origin.lower() not in self._origins:
            raise Refusal(403, "foreign_origin", "Requests from pages of other sites are refused.")
        authenticator = self._authenticator()
        if authenticator is None:
            raise busy("not_ready", "The service is starting.")
        address = client_address(peer, head.forwarded_for.decode("latin-1"), self._trusted)
        try:
            key = await authenticator.authenticate(head.credential, address)
        except BadKey as problem:
            wait_s = self._failures.strike(source_of(address), time.monotonic())
            if wait_s > 0:
                raise of_gateway(refusals.too_many_failures(wait_s), f"key_{problem.reason}") from None
            raise unauthenticated(problem.reason) from None
        except KeyringUnavailable:
            raise busy("keys_unavailable", "API keys can't be checked at the moment.") from None
        if scope["method"] != "POST":
            # Nothing is ever said unasked, and there are no sessions to end.
            raise Refusal(405, "method", "Only POST is served here.", headers=((b"allow", b"POST"),))
        return Caller(key, request_id)

    def _request_id(self, head: Head, peer: str) -> str:
        """The edge's id when it forwards, else one of our own: a client's is never taken."""
        given = head.client_request_id
        return given if given and is_trusted(peer, self._trusted) else new_id("req")


class _Answer:
    """Sends what the client gets: our own refusals, and the inner application's answers with the request's id."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.request_id = ""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {
                **message,
                "headers": [*message.get("headers", ()), *_id_headers(self.request_id or new_id("req"))],
            }
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        body = _body(refusal)
        headers = [*_headers(refusal), (b"content-length", b"%d" % len(body))]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _id_headers(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-request-id", request_id.encode()), (b"x-oneapi-request-id", request_id.encode())]


def _headers(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *refusal.headers,
    ]


def _body(refusal: Refusal) -> bytes:
    error = {"code": refusal.code, "message": refusal.message}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error})


def _header(scope: Scope, wanted: bytes) -> str | None:
    """Its value; several are one list, as HTTP has it."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
    return ", ".join(values) if values else None


def _inspect(scope: Scope) -> Head:
    """The head of a request for this path alone. Raises Refusal."""
    try:
        head = inspect(scope)
        if scope["raw_path"] != PATH:
            raise refusals.path_not_found()
    except GatewayError as error:
        raise of_gateway(error) from None
    return head


async def _read_message(head: Head, receive: Receive) -> bytes:
    """The whole body: one JSON-RPC message. Raises Refusal and ClientGone."""
    if head.content_encoding or head.content_type.partition(b";")[0].strip().lower() != JSON_TYPE:
        raise Refusal(415, "media_type", "The body must be application/json, and not compressed.", INVALID_REQUEST)
    try:
        data = await read_body(receive, head.content_length, MAX_BODY_BYTES)
        read_message(data)
    except GatewayError as error:
        raise of_gateway(error, "too_large") from None
    except BadMessage as problem:
        raise Refusal(400, "bad_message", str(problem), problem.code) from None
    return data


def _replayed(body: bytes) -> Receive:
    """A `receive` that gives the body, which is read already, and nothing after it: the door watches the client."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            await asyncio.get_running_loop().create_future()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
