"""Errors of Bedrock's: `{"message"}` with a true status, and exceptions inside a stream by their names."""

from typing import Any

import msgspec

from oneapi.dialects.canonical.reading import member, string
from oneapi.dialects.errors import GatewayError, Kind
from oneapi.dialects.meter import UNNAMED_ERROR
from oneapi.dialects.usage import UNREADABLE

CONTEXT_LENGTH = "context_length_exceeded"
_TOO_LONG = ("input is too long", "prompt is too long")
_KINDS: dict[int, Kind] = {
    401: "authentication",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    424: "upstream",
    429: "rate_limit",
    503: "overloaded",
}
_CODES = {
    "throttlingException": "rate_limit_exceeded",
    "modelNotReadyException": "rate_limit_exceeded",
    "serviceUnavailableException": "overloaded",
    "internalServerException": "internal_server_error",
    "modelStreamErrorException": "model_stream_error",
    "modelTimeoutException": "model_timeout",
    "validationException": "validation_error",
}
EXCEPTION = "Exception"


def decode_error(status: int, body: bytes) -> GatewayError | None:
    """A provider's refusal as it is, neither cleaned nor judged; None when the body is no error of this format."""
    try:
        raw = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    message = string(member(raw, "message")) or string(member(raw, "Message"))
    if not message:
        return None
    kind: Kind = _KINDS.get(status) or ("invalid_request" if status < 500 else "upstream")
    too_long = kind == "invalid_request" and any(words in message.lower() for words in _TOO_LONG)
    return GatewayError(status, kind, CONTEXT_LENGTH if too_long else "upstream_refused", message)


def exception(name: str, payload: Any) -> tuple[str, str]:
    """Code and message of an exception inside a stream, or of an error that no service has modelled."""
    code = _CODES.get(name) or string(member(payload, "code")) or UNNAMED_ERROR
    return code, string(member(payload, "message"))
