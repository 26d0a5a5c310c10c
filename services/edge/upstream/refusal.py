"""Cleans a provider's error before a client may see it.

It decides what of it is shown: the code, the field and the sentence, cleaned. It must not know which provider wrote it:
every dialect served here has `error` with a `message`.
"""

import re
from collections.abc import Container
from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.usage import UNREADABLE
from oneapi.runtime.egress.words import clean_message
from services.edge import refusals

MAX_BODY_BYTES = 64 * 1024
MAX_CODE = 64

_CODES = ("code", "type", "status")
_CODE = re.compile(r"[A-Za-z0-9_.\-]+")
_PARAM = re.compile(r"[A-Za-z0-9_.\-\[\]]+")


def read_refusal(status: int, body: bytes) -> GatewayError | None:
    """A provider's 4xx in our own error, cleaned; None when the body says nothing that may be shown."""
    error = _error_of(body)
    if error is None:
        return None
    message = error.get("message")
    if not isinstance(message, str) or not (shown := clean_message(message)):
        return None
    return refusals.upstream_refused(status, clean_code(error), shown, _match(_PARAM, error.get("param")) or None)


def clean_refusal(error: GatewayError, fields: Container[str]) -> GatewayError | None:
    """The same of an error that was read from another format; it may name a field only if it is one of the client's."""
    shown = clean_message(error.message)
    if not shown:
        return None
    param = _match(_PARAM, error.param)
    return refusals.upstream_refused(
        error.status, clean_code({"code": error.code}), shown, param if param in fields else None
    )


def is_error_body(body: bytes) -> bool:
    """Whether a body that came with status 200 is an error all the same, and nothing else."""
    error = _error_of(body)
    return error is not None and isinstance(error.get("message"), str)


def clean_code(error: dict[str, Any]) -> str:
    """The error's code, where it is a word, else its type, else Google's word, else a code of our own."""
    return next(filter(None, (_match(_CODE, error.get(name)) for name in _CODES)), "upstream_refused")


def _match(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_CODE or not pattern.fullmatch(value):
        return ""
    return value if clean_message(value) == value else ""


def _error_of(body: bytes) -> dict[str, Any] | None:
    if len(body) > MAX_BODY_BYTES:
        return None
    try:
        decoded = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    error = decoded.get("error") if isinstance(decoded, dict) else None
    return error if isinstance(error, dict) else None
