"""`POST /.well-known/mcp`: the HTTP side of the public MCP server.

It decides that every answer is one JSON message, and what a failure looks like that has none. A GET that asks for a
stream is refused here; others get the manifest, which is a document. It must not know MCP's methods.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from oneapi.runtime.json_rpc import INVALID_REQUEST, BadMessage, read_message
from services.admin.public.capabilities import MCP_PUBLIC_PATH
from services.admin.public.mcp_server.protocol import ROUTING_HEADERS, Headers
from services.admin.public.mcp_server.server import PublicMcpServer
from services.admin.web.endpoints.layer import STREAM, Endpoint, Question, check_media_type
from services.admin.web.problems import Problem

REFUSED = -32000
"""JSON-RPC has no code for what HTTP's status says already."""
MODES_OF_READING = frozenset({"GET", "HEAD"})


def endpoint(server: PublicMcpServer) -> Endpoint:
    """The endpoint, to be mounted."""

    def handle(question: Question) -> Response:
        headers = question.request.headers
        check_media_type(question.request, ("application/json",))
        try:
            message = read_message(question.body)
        except BadMessage as problem:
            return _error(400, problem.code, str(problem))
        given = Headers({name: headers.getlist(name) for name in ROUTING_HEADERS})
        status, answer = server.answer(message, given, question.public)
        if answer is None:
            return Response(status_code=status)
        return Response(msgspec.json.encode(answer), status, media_type="application/json")

    return Endpoint(
        path=MCP_PUBLIC_PATH,
        methods=("POST",),
        handle=handle,
        refuse=refuse,
        request_headers=("Content-Type", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Last-Event-ID"),
        any_origin=False,
        beside=("GET", "HEAD"),
        passes=_is_for_the_manifest,
    )


def refuse(problem: Problem, _request: Request) -> Response:
    """A failure as a JSON-RPC error."""
    code = INVALID_REQUEST if problem.status_code in {400, 413, 415} else REFUSED
    response = _error(problem.status_code, code, problem.detail)
    response.headers.update(problem.headers or {})
    return response


def _is_for_the_manifest(request: Request) -> bool:
    """Clients of the handshake's era ask for a stream by GET; all other readers get the document."""
    return request.method in MODES_OF_READING and request.headers.get("accept", "").strip().lower() != STREAM


def _error(status: int, code: int, message: str) -> Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return Response(msgspec.json.encode(body), status, media_type="application/json")
