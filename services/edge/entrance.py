"""The ASGI application: looks at each request's head and sends it where it belongs.

It decides what may come in at all, and that every request gets an answer. It must not know how any path is served.
"""

import logging
import time
from collections.abc import Sequence

from oneapi.dialects.errors import GatewayError
from oneapi.runtime import semconv
from oneapi.runtime.asgi import AsgiApp, Receive, Scope, Send
from oneapi.runtime.client_address import Network, client_address
from oneapi.runtime.door.body import ClientGone
from oneapi.runtime.door.head import Head
from oneapi.runtime.door.protocol import ARRIVED_KEY, CLIENT_KEY, Client
from oneapi.runtime.door.refusals import path_not_found
from oneapi.runtime.door.source import client_scheme
from oneapi.runtime.health import PATHS
from oneapi.runtime.ids import uuid7
from oneapi.runtime.metrics import gauge
from services.edge import refusals
from services.edge.answers import send_error
from services.edge.arrival import Arrival, is_anthropic, read_head
from services.edge.cold_answers import ARRIVAL_KEY
from services.edge.forward.proxy import Forwarder
from services.edge.google_paths import keys_in_query, read_call
from services.edge.inference.endpoints import ENDPOINTS
from services.edge.inference.handler import Inference
from services.edge.load import Load
from services.edge.paths import Owner, owner_of
from services.edge.sandbox.endpoints import PREFIX as SANDBOX
from services.edge.sandbox.handler import Sandbox

logger = logging.getLogger(__name__)

_CLOSE = ((b"connection", b"close"),)

OPEN = gauge(semconv.METRIC_OPEN_REQUESTS, "Requests that are being served")
POST = "POST"


class Entrance:
    """Every request of the process comes through here."""

    def __init__(
        self,
        *,
        load: Load,
        trusted: Sequence[Network],
        inference: Inference,
        sandbox: Sandbox,
        cold: AsgiApp,
        mcp: Forwarder,
        admin: Forwarder,
    ) -> None:
        self._load = load
        self._trusted = trusted
        self._inference = inference
        self._sandbox = sandbox
        self._cold = cold
        self._mcp = mcp
        self._admin = admin
        OPEN.set_function(lambda: load.in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Anything but HTTP is not served."""
        if scope["type"] != "http":
            return
        started_s = time.perf_counter()
        raw_path: bytes = scope["raw_path"]
        query: bytes = scope["query_string"]
        request_id = uuid7()
        load = self._load
        refusal = load.refusal(decided=ARRIVED_KEY in scope)
        if refusal is not None and raw_path not in PATHS:
            await send_error(send, raw_path, refusal, request_id)
            return
        load.enter()
        head: Head | None = None
        try:
            head = read_head(scope["headers"], keys_in_query(raw_path, query) if query else ())
            peer = scope["client"][0] if scope["client"] else ""
            address = client_address(peer, head.forwarded_for.decode("latin-1"), self._trusted)
            scheme = client_scheme(peer, head.forwarded_proto, self._trusted) or scope["scheme"]
            arrival = Arrival(request_id, raw_path, head, address, scheme, started_s)
            await self._serve(arrival, scope, receive, send)
        except GatewayError as error:
            # What follows a head that two readers could take differently is not read.
            more = _CLOSE if head is None else ()
            anthropic = head is not None and is_anthropic(head)
            await send_error(send, raw_path, error, request_id, anthropic=anthropic, more=more)
        except ClientGone:
            pass
        except Exception:  # the client gets an answer whatever went wrong; the log gets the whole of it
            logger.exception("a request failed", extra={"fields": {"request_id": request_id}})
            client: Client = scope[CLIENT_KEY]
            if client.answered:
                client.abort()
            else:
                anthropic = head is not None and is_anthropic(head)
                await send_error(send, raw_path, refusals.internal_error(), request_id, anthropic=anthropic)
        finally:
            load.leave()

    async def _serve(self, arrival: Arrival, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = ENDPOINTS.get(arrival.raw_path)
        addressed = None
        if endpoint is None and (call := read_call(arrival.raw_path, scope["query_string"])) is not None:
            endpoint, addressed = call
        if endpoint is not None:
            if scope["method"] != POST:
                error = refusals.method_not_allowed()
                allow = ((b"allow", POST.encode()),)
                await send_error(send, arrival.raw_path, error, arrival.request_id, more=allow)
                return
            await self._inference.serve(arrival, endpoint, scope, receive, send, addressed)
            return
        owner = owner_of(arrival.raw_path)
        if owner is Owner.NOBODY:
            raise path_not_found()
        if owner is Owner.EDGE and arrival.raw_path.startswith(SANDBOX):
            await self._sandbox.serve(arrival, scope, receive, send)
        elif owner is Owner.EDGE:
            scope[ARRIVAL_KEY] = arrival
            await self._cold(scope, receive, send)
        else:
            forwarder = self._mcp if owner is Owner.MCP else self._admin
            await forwarder.forward(arrival, scope, receive, send)
