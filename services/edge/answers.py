"""Writes answers that the edge gives by itself: JSON and errors, each in the format of the path that was asked.

It decides which format a path speaks and which headers every such answer has. It must not know why an error happened.
"""

import functools
import re
from collections.abc import Sequence

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.registry import DIALECTS
from oneapi.runtime import semconv
from oneapi.runtime.asgi import Send
from oneapi.runtime.door.answers import phrase, retry_after, whole_answer
from oneapi.runtime.ids import uuid7
from oneapi.runtime.metrics import counter
from services.edge.paths import MCP_PATH, is_googles

Headers = list[tuple[bytes, bytes]]

REFUSALS = counter(semconv.METRIC_REFUSALS, "Errors that clients were told, by kind and status", ("kind", "status"))
_refusals = functools.cache(REFUSALS.labels)

JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", b"application/problem+json")
ALWAYS: Headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
CHALLENGE = (b"www-authenticate", b'Bearer realm="one-api"')
ANTHROPIC = "anthropic_messages"
JSON_RPC_INTERNAL = -32603
JSON_RPC_INVALID = -32600

# What other gateways serve below /api, in their clients' format.
_OF_OTHERS = re.compile(rb"/api/(?:paas/v4|token)(?:[/?]|\Z)")
_DIALECT_OF = (
    (b"/v1/messages", ANTHROPIC),
    (b"/v1/responses", "openai_responses"),
    (b"/v1/conversations", "openai_responses"),
    (b"/v1/embeddings", "openai_embeddings"),
    (b"/sandbox/v1/messages", ANTHROPIC),
    (b"/sandbox/v1/responses", "openai_responses"),
)


def id_headers(request_id: str, dialect: str = "") -> Headers:
    """The two headers that every answer carries, and in a dialect whose SDKs look elsewhere for the id, that one."""
    value = request_id.encode()
    headers = [(b"x-request-id", value), (b"x-oneapi-request-id", value)]
    return [*headers, (b"request-id", value)] if dialect == ANTHROPIC else headers


def dialect_of(raw_path: bytes, *, anthropic: bool = False, google: bool = False) -> str:
    """The dialect in which a path's errors are written. `anthropic`, `google`: the client says that it is theirs."""
    for prefix, dialect in _DIALECT_OF:
        if raw_path.startswith(prefix) and raw_path[len(prefix) : len(prefix) + 1] in {b"", b"/", b"?"}:
            return dialect
    if google or is_googles(raw_path.partition(b"?")[0]):
        return "gemini_generate"
    return ANTHROPIC if anthropic else "openai_chat"


def error_answer(
    raw_path: bytes, error: GatewayError, request_id: str, *, anthropic: bool = False, google: bool = False
) -> tuple[Headers, bytes]:
    """Headers and body of an error, in the format of its path."""
    headers = [*ALWAYS, *retry_after(error)]
    if error.status == 401:
        headers.append(CHALLENGE)
    if error.status == 402:
        # Trying again can't help: SDKs that know this header don't.
        headers.append((b"x-should-retry", b"false"))
    if raw_path == MCP_PATH:
        return [JSON, *headers, *id_headers(request_id)], _json_rpc(error, request_id)
    if raw_path.startswith(b"/api/") and not _OF_OTHERS.match(raw_path):
        return [PROBLEM, *headers, *id_headers(request_id)], _problem(error, request_id)
    dialect = dialect_of(raw_path, anthropic=anthropic, google=google)
    return [JSON, *headers, *id_headers(request_id, dialect)], DIALECTS[dialect].error_body(error, request_id)


async def send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Sends an answer in one piece."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_error(
    send: Send,
    raw_path: bytes,
    error: GatewayError,
    request_id: str,
    *,
    anthropic: bool = False,
    more: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Sends an error. While the process drains the connection is not kept."""
    headers, body = error_answer(raw_path, error, request_id, anthropic=anthropic)
    headers += more
    _refusals(error.kind, error.status).inc()
    if error.code == "server_shutdown":
        headers.append((b"connection", b"close"))
    await send_whole(send, error.status, headers, body)


def raw_error(raw_target: bytes, error: GatewayError, request_id: str = "", *, keep: bool = False) -> bytes:
    """A whole HTTP/1.1 answer for a request that no handler will see. The connection ends after it, unless `keep`."""
    headers, body = error_answer(raw_target.partition(b"?")[0], error, request_id or uuid7())
    return whole_answer(error.status, headers, body, keep=keep)


def _problem(error: GatewayError, request_id: str) -> bytes:
    problem = {
        "type": "about:blank",
        "title": phrase(error.status),
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "request_id": request_id,
    }
    return msgspec.json.encode(problem)


def _json_rpc(error: GatewayError, request_id: str) -> bytes:
    code = JSON_RPC_INVALID if error.status < 500 else JSON_RPC_INTERNAL
    data = {"code": error.code, "request_id": request_id}
    wrapped = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": error.message, "data": data}}
    return msgspec.json.encode(wrapped)
