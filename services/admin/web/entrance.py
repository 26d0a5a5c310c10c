"""The first reader of a request: looks at its head and refuses what could be read in two ways, before any routing.

It decides how the door's refusals look here (problem+json), and with whom a bad credential counts: its source, when it
keeps failing, is told to wait. It must not know any route.
"""

import time
from collections.abc import Sequence

from starlette.requests import Request

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.asgi import AsgiApp, Receive, Scope, Send
from oneapi.runtime.client_address import Network, client_address
from oneapi.runtime.door import refusals
from oneapi.runtime.door.answers import whole_answer
from oneapi.runtime.door.failures import FailureLimiter
from oneapi.runtime.door.head import Head, inspect
from oneapi.runtime.door.source import source_of
from oneapi.runtime.ids import new_id
from services.admin.web import problems
from services.admin.web.observing import id_headers
from services.admin.web.problems import Problem

_HEAD, _SOURCE = "oneapi.head", "oneapi.source"


class Entrance:
    """In front of the application. `trusted` are those whose word about addresses is believed."""

    def __init__(self, app: AsgiApp, trusted: Sequence[Network], failures: FailureLimiter) -> None:
        self._app = app
        self._trusted = trusted
        self._failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            head = inspect(scope)
        except GatewayError as error:
            await _refuse(problems.of_gateway(error), scope, receive, send)
            return
        peer = scope["client"][0] if scope["client"] else ""
        scope[_HEAD] = head
        scope[_SOURCE] = source_of(client_address(peer, head.forwarded_for.decode("latin-1"), self._trusted))
        if head.ambiguous:
            await _refuse(_of_failure(self._failures, scope), scope, receive, send)
        else:
            await self._app(scope, receive, send)


def head_of(request: Request) -> Head:
    """What the entrance has read."""
    head: Head = request.scope[_HEAD]
    return head


def source_of_request(request: Request) -> str:
    """With whom the request counts."""
    source: str = request.scope[_SOURCE]
    return source


def bad_credential(failures: FailureLimiter, request: Request) -> Problem:
    """Counts a request whose credential proves nothing. It is told 401, or 429 when its source fails too often."""
    return _of_failure(failures, request.scope)


def whole_problem(target: bytes, error: GatewayError) -> bytes:
    """A refusal of the door as a whole answer."""
    del target
    request_id = new_id("req")
    response = problems.respond(problems.of_gateway(error), request_id)
    headers = [pair for pair in response.raw_headers if pair[0] != b"content-length"]
    return whole_answer(error.status, [*headers, *id_headers(response.raw_headers, request_id)], bytes(response.body))


def _of_failure(failures: FailureLimiter, scope: Scope) -> Problem:
    wait_s = failures.strike(scope[_SOURCE], time.monotonic())
    return problems.of_gateway(refusals.too_many_failures(wait_s)) if wait_s > 0 else problems.unauthenticated()


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await problems.respond(problem, scope["state"]["request_id"])(scope, receive, send)
