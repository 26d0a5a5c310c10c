"""Errors in the shape that OpenAI's SDKs read: `{"error": {"message", "type", "param", "code"}}`.

Source: OpenAI's API reference, "Error codes". The SDKs choose their exception by the HTTP status, and show `code` and
`param`; the request's id is theirs from the header. It must not know which of OpenAI's formats it is used in.
"""

from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError, Kind
from oneapi.dialects.usage import UNREADABLE

TYPES: dict[Kind, str] = {
    "authentication": "invalid_request_error",
    "permission": "permission_denied",
    "not_found": "invalid_request_error",
    "invalid_request": "invalid_request_error",
    "too_large": "invalid_request_error",
    "unsupported_media": "invalid_request_error",
    "budget": "insufficient_quota",
    "rate_limit": "requests",
    "overloaded": "server_error",
    "upstream": "server_error",
    "timeout": "timeout",
    "internal": "server_error",
}


def error_object(error: GatewayError) -> dict[str, Any]:
    """The four fields."""
    return {"message": error.message, "type": _type(error), "param": error.param, "code": error.code}


def error_body(error: GatewayError, request_id: str) -> bytes:
    """The whole body. The numbers that explain a refusal stand beside the error, whose fields are fixed."""
    del request_id
    body: dict[str, Any] = {"error": error_object(error)}
    if error.details:
        body["details"] = error.details
    return msgspec.json.encode(body)


def _type(error: GatewayError) -> str:
    """OpenAI's rate limits are of type "requests" or "tokens"."""
    return "tokens" if error.kind == "rate_limit" and error.code.startswith("tokens") else TYPES[error.kind]


_KINDS: dict[int, Kind] = {
    401: "authentication",
    402: "budget",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}


def decode_error(status: int, body: bytes) -> GatewayError | None:
    """A provider's refusal as it is, neither cleaned nor judged; None when the body is no error of this format."""
    try:
        raw = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    error = raw.get("error") if isinstance(raw, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    if not isinstance(message, str) or not message:
        return None
    told = error if isinstance(error, dict) else {}
    code = next((told[name] for name in ("code", "type") if isinstance(told.get(name), str)), "upstream_refused")
    kind = "budget" if code == "insufficient_quota" else _KINDS.get(status)
    param = told.get("param")
    return GatewayError(
        status,
        kind or ("invalid_request" if status < 500 else "upstream"),
        code,
        message,
        param=param if isinstance(param, str) else None,
    )
