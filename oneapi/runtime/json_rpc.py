"""Decides whether a body is one JSON-RPC message at all, before a protocol reads it.

Whoever reads on may rely on its shape, and nobody is told how the parser words its complaints. It must not know
methods. Pure.
"""

from typing import Any

import msgspec

from oneapi.dialects.json_guard import JsonTooComplex, check

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
MAX_ID = 256
MAX_METHOD = 128
_LARGEST_ID = 2**63


class BadMessage(ValueError):
    """The body is refused with this JSON-RPC code; the message may be shown."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_message(body: bytes) -> dict[str, Any]:
    """The message. Raises BadMessage unless it is one request or notification, not too deep, with a proper id."""
    try:
        check(body)
    except JsonTooComplex as problem:
        raise BadMessage(INVALID_REQUEST, str(problem)) from None
    try:
        message = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadMessage(PARSE_ERROR, "The body is not JSON.") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise BadMessage(INVALID_REQUEST, "The body must be one JSON-RPC 2.0 message, and not a batch.")
    method = message.get("method")
    if not isinstance(method, str) or not 0 < len(method) <= MAX_METHOD:
        raise BadMessage(INVALID_REQUEST, f"The method must be a text of at most {MAX_METHOD} characters.")
    if "id" in message and not _is_id(message["id"]):
        raise BadMessage(INVALID_REQUEST, f"The id must be an integer or a text of at most {MAX_ID} characters.")
    if not isinstance(message.get("params", {}), dict):
        raise BadMessage(INVALID_REQUEST, "The params must be an object.")
    return message


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_ID
    return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST_ID <= value < _LARGEST_ID
