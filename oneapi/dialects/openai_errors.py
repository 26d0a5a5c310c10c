"""Errors in the shape that OpenAI's SDKs read: `{"error": {"message", "type", "param", "code"}}`.

Source: OpenAI's API reference, "Error codes". The SDKs choose their exception by the HTTP status, and show `code` and
`param`; the request's id is theirs from the header. It must not know which of OpenAI's formats it is used in.
"""

from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError, Kind

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
