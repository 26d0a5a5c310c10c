"""Errors of Cohere's: `{"id", "message"}` with a true status."""

import msgspec

from oneapi.dialects.canonical.reading import member
from oneapi.dialects.errors import GatewayError, Kind
from oneapi.dialects.usage import UNREADABLE

CONTEXT_LENGTH = "context_length_exceeded"
_TOO_LONG = "too many tokens"
_KINDS: dict[int, Kind] = {
    401: "authentication",
    402: "budget",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limit",
    499: "timeout",
    503: "overloaded",
    504: "timeout",
}


def decode_error(status: int, body: bytes) -> GatewayError | None:
    """A provider's refusal as it is, neither cleaned nor judged; None when the body is no error of this format."""
    try:
        message = member(msgspec.json.decode(body), "message")
    except UNREADABLE:
        return None
    if not isinstance(message, str) or not message:
        return None
    kind: Kind = _KINDS.get(status) or ("invalid_request" if status < 500 else "upstream")
    code = CONTEXT_LENGTH if kind == "invalid_request" and _TOO_LONG in message.lower() else "upstream_refused"
    return GatewayError(status, kind, code, message)
