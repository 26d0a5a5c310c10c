"""Errors in the shape that Anthropic's SDKs read: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

Source: Anthropic's API reference, "Errors". The SDKs choose their exception by the HTTP status, and inside a stream by
the type.
"""

from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError, Kind
from oneapi.dialects.usage import UNREADABLE

TYPES: dict[Kind, str] = {
    "authentication": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "invalid_request": "invalid_request_error",
    "too_large": "request_too_large",
    "unsupported_media": "invalid_request_error",
    "budget": "billing_error",
    "rate_limit": "rate_limit_error",
    "overloaded": "overloaded_error",
    "upstream": "api_error",
    "timeout": "timeout_error",
    "internal": "api_error",
}


def error_value(error: GatewayError, request_id: str) -> dict[str, Any]:
    """The error as a body or as a stream's event. The numbers that explain a refusal stand beside it."""
    message = error.message
    if error.code == CONTEXT_LENGTH and not message.startswith(_TOO_LONG):
        # There is no field for it, and clients know it by these words.
        message = f"{_TOO_LONG}: {message}"
    value: dict[str, Any] = {
        "type": "error",
        "error": {"type": TYPES[error.kind], "message": message},
        "request_id": request_id or None,
    }
    if error.details:
        value["details"] = {"code": error.code, **error.details}
    return value


def error_body(error: GatewayError, request_id: str) -> bytes:
    """The whole body."""
    return msgspec.json.encode(error_value(error, request_id))


KINDS: dict[str, Kind] = {
    "authentication_error": "authentication",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "invalid_request_error": "invalid_request",
    "request_too_large": "too_large",
    "billing_error": "budget",
    "rate_limit_error": "rate_limit",
    "overloaded_error": "overloaded",
    "api_error": "upstream",
    "timeout_error": "timeout",
}
_TOO_LONG = "prompt is too long"
CONTEXT_LENGTH = "context_length_exceeded"


def decode_error(status: int, body: bytes) -> GatewayError | None:
    """A provider's refusal as it is, neither cleaned nor judged; None when the body is no error of this format."""
    try:
        raw = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    error = raw.get("error") if isinstance(raw, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(message, str):
        return None
    kind = error.get("type")
    code = kind if isinstance(kind, str) else "upstream_refused"
    if message.startswith(_TOO_LONG):
        code = CONTEXT_LENGTH
    return GatewayError(status, KINDS.get(code, "invalid_request" if status < 500 else "upstream"), code, message)
