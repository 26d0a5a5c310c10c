"""Writes logs as JSON lines to standard error, with the trace they belong to and without secrets.

It decides the shape of a line, and must not know what is worth logging. Use `logging.getLogger(__name__)`, and
`extra={"fields": {...}}` for what a machine should find.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
from opentelemetry import trace

from oneapi.runtime.redaction import REDACTED, names_a_secret, redact

_QUIET = ("aiohttp.access", "asyncio", "httpcore2", "httpx2", "nats", "uvicorn.access", "grpc", "grpc._cython")
_SILENT = ("mcp.client",)
"""This repeats what a server said: in messages, and in the exceptions below them."""
_MAX_TEXT = 8_192


def _clean(value: object) -> Any:
    """A JSON value without secrets: text is redacted, and what JSON does not know becomes redacted text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): REDACTED if names_a_secret(str(name)) else _clean(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    return redact(str(value)[:_MAX_TEXT])


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON: time, level, service, logger, message, trace, fields, exception."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line. Stack traces carry no local variables."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": redact(record.getMessage()[:_MAX_TEXT]),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = f"{span.trace_id:032x}"
            line["span_id"] = f"{span.span_id:016x}"
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line.update({name: value for name, value in _clean(fields).items() if name not in line})
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = redact("".join(traceback.format_exception(*record.exc_info)))
        return msgspec.json.encode(line).decode()


def configure(service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Sends every logger of this process to standard error as JSON lines from `level` up. Raises ValueError."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"{level!r} is not a log level")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _QUIET:
        # These log each request or each retry; what matters of it is logged by us, with fields.
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        # uvicorn asks whether anybody would hear of a request, and writes its line of text when somebody might.
        logger.propagate = name != "uvicorn.access"
