"""Cleans a provider's error before a client may see it.

It decides what of it is shown: the code and the sentence, without keys, addresses, markup or traces. It must not know
which provider wrote it: every dialect served here has `error` with a `message`.
"""

import re
from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.dialects.usage import UNREADABLE
from oneapi.runtime.redaction import redact
from services.edge import refusals

MAX_BODY_BYTES = 64 * 1024
MAX_MESSAGE = 500
MAX_CODE = 64

_ADDRESSES = re.compile(
    r"\b[a-z][a-z0-9+.-]*://\S+"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    r"|(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Za-z0-9_.\-]+")
_PARAM = re.compile(r"[A-Za-z0-9_.\-\[\]]+")
_TRACE = ("Traceback (most recent call last)", "\n    at ", 'File "')


def read_refusal(status: int, body: bytes) -> GatewayError | None:
    """A provider's 4xx in our own error, cleaned; None when the body says nothing that may be shown."""
    error = _error_of(body)
    if error is None:
        return None
    message = error.get("message")
    if not isinstance(message, str) or not (shown := clean_message(message)):
        return None
    return refusals.upstream_refused(status, clean_code(error), shown, _match(_PARAM, error.get("param")) or None)


def is_error_body(body: bytes) -> bool:
    """Whether a body that came with status 200 is an error all the same, and nothing else."""
    error = _error_of(body)
    return error is not None and isinstance(error.get("message"), str)


def clean_message(message: str) -> str:
    """One line without secrets and addresses; empty when it is markup or a stack trace."""
    if "<html" in message.lower() or "<!doctype" in message.lower() or any(mark in message for mark in _TRACE):
        return ""
    text = " ".join(_ADDRESSES.sub("[address]", redact(message)).split())
    text = "".join(c for c in text if c.isprintable())
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def clean_code(error: dict[str, Any]) -> str:
    """The error's code, else its type, else a code of our own."""
    return _match(_CODE, error.get("code")) or _match(_CODE, error.get("type")) or "upstream_refused"


def _match(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and len(value) <= MAX_CODE and pattern.fullmatch(value) else ""


def _error_of(body: bytes) -> dict[str, Any] | None:
    if len(body) > MAX_BODY_BYTES:
        return None
    try:
        decoded = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    error = decoded.get("error") if isinstance(decoded, dict) else None
    return error if isinstance(error, dict) else None
