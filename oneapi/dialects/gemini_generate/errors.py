"""Errors in the shape that Google's SDKs read: a `google.rpc.Status` in `{"error": {"code", "message", "status"}}`.

Source: Google's API design guide, "Errors" (AIP-193). The SDKs choose their exception by the HTTP status. A stream that
is no stream of events has its error in a list.
"""

import re
from typing import Any

import msgspec

from oneapi.dialects.canonical.reading import member, objects, string
from oneapi.dialects.errors import GatewayError, Kind
from oneapi.dialects.usage import UNREADABLE

_STATUSES: dict[Kind, str] = {
    "authentication": "UNAUTHENTICATED",
    "permission": "PERMISSION_DENIED",
    "not_found": "NOT_FOUND",
    "invalid_request": "INVALID_ARGUMENT",
    "too_large": "INVALID_ARGUMENT",
    "unsupported_media": "INVALID_ARGUMENT",
    "budget": "RESOURCE_EXHAUSTED",
    "rate_limit": "RESOURCE_EXHAUSTED",
    "overloaded": "UNAVAILABLE",
    "upstream": "UNAVAILABLE",
    "timeout": "DEADLINE_EXCEEDED",
    "internal": "INTERNAL",
}
_TYPE = "type.googleapis.com/google.rpc."


def error_body(error: GatewayError, request_id: str) -> bytes:
    """The whole body, which is a stream's error event too. The numbers that explain a refusal are its metadata."""
    info: dict[str, Any] = {"@type": f"{_TYPE}ErrorInfo", "reason": error.code.upper(), "domain": "oneapi"}
    if error.details:
        info["metadata"] = {name: _text(value) for name, value in error.details.items()}
    details = [info]
    if error.param:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if error.retry_after_s is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{error.retry_after_s:.3f}s"})
    if request_id:
        details.append({"@type": f"{_TYPE}RequestInfo", "requestId": request_id})
    status = {"code": error.status, "message": error.message, "status": _STATUSES[error.kind], "details": details}
    return msgspec.json.encode({"error": status})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


_KINDS: dict[int, Kind] = {
    401: "authentication",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limit",
    499: "timeout",
    503: "overloaded",
    504: "timeout",
}
_KEY = "API_KEY_INVALID"
_TOO_LONG = "input token count"
CONTEXT_LENGTH = "context_length_exceeded"
_DELAY = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s")


def decode_error(status: int, body: bytes) -> GatewayError | None:
    """A provider's refusal as it is, neither cleaned nor judged; None when the body is no error of this format."""
    try:
        raw = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    if isinstance(raw, list) and raw:
        raw = raw[0]
    error = member(raw, "error")
    message = member(error, "message")
    if not isinstance(message, str) or not message:
        return None
    details = objects(member(error, "details"))
    kind: Kind = _KINDS.get(status) or ("invalid_request" if status < 500 else "upstream")
    code = string(member(error, "status")) or "upstream_refused"
    if any(detail.get("reason") == _KEY for detail in details):
        kind = "authentication"
    if kind == "invalid_request" and _TOO_LONG in message and "exceeds" in message:
        code = CONTEXT_LENGTH
    return GatewayError(status, kind, code, message, retry_after_s=_retry_after(details))


def _retry_after(details: list[dict[str, Any]]) -> float | None:
    found = [_DELAY.fullmatch(string(detail.get("retryDelay"))) for detail in details]
    return next((float(delay[1]) for delay in found if delay is not None), None)
