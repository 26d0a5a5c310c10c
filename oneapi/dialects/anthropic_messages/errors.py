"""Errors in the shape that Anthropic's SDKs read: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

Source: Anthropic's API reference, "Errors". The SDKs choose their exception by the HTTP status, and inside a stream by
the type.
"""

from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError, Kind

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
    value: dict[str, Any] = {
        "type": "error",
        "error": {"type": TYPES[error.kind], "message": error.message},
        "request_id": request_id or None,
    }
    if error.details:
        value["details"] = {"code": error.code, **error.details}
    return value


def error_body(error: GatewayError, request_id: str) -> bytes:
    """The whole body."""
    return msgspec.json.encode(error_value(error, request_id))
