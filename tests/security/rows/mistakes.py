"""S-03 and S-10: what clients and logs are told of exceptions that nobody foresaw."""

import asyncio
import io
import json
import logging
import re
import sqlite3
from collections.abc import Callable

import aiohttp
import grpc
import httptools
import msgspec
import nats.errors
import redis
import sqlalchemy.exc
import starlette.exceptions

from oneapi.runtime import logs
from services.admin.web import problems
from services.edge import refusals
from services.edge.answers import raw_error
from tests.security.table import Absent, Row
from tests.security.world import World

SECRET = "sk-0123456789abcdefghijABCDEFGHIJ0123456789abcdefgh"
TOLD = f"{SECRET} at postgresql://u:{SECRET}@db.internal:5432 in /srv/oneapi/services/edge/x.py"

EXCEPTIONS: list[Callable[[], BaseException]] = [
    *(lambda kind=kind: kind(TOLD) for kind in (
        ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, RecursionError, MemoryError, OSError,
        PermissionError, FileNotFoundError, ConnectionResetError, BrokenPipeError, ConnectionRefusedError, TimeoutError,
        ZeroDivisionError, OverflowError, AssertionError, NotImplementedError, StopIteration, StopAsyncIteration,
        LookupError, NameError, ImportError, EOFError, BufferError, ArithmeticError, UnicodeError, ReferenceError,
        asyncio.InvalidStateError, asyncio.QueueFull, sqlite3.OperationalError, sqlite3.IntegrityError,
        msgspec.DecodeError, msgspec.ValidationError, redis.ConnectionError, redis.ResponseError, nats.errors.Error,
        aiohttp.ClientError, aiohttp.ClientPayloadError, httptools.HttpParserError, sqlalchemy.exc.SQLAlchemyError,
        sqlalchemy.exc.InvalidRequestError, grpc.RpcError, json.JSONEncoder,
    ) if isinstance(kind, type) and issubclass(kind, BaseException)),
    lambda: UnicodeDecodeError("utf-8", TOLD.encode(), 0, 1, TOLD),
    lambda: json.JSONDecodeError(TOLD, TOLD, 0),
    lambda: ExceptionGroup(TOLD, [ValueError(TOLD)]),
    lambda: sqlalchemy.exc.IntegrityError(TOLD, {"key": SECRET}, Exception(TOLD)),
    lambda: starlette.exceptions.HTTPException(500, TOLD),
]  # fmt: skip


def told_nothing(_world: World, make: Callable[[], BaseException]) -> None:
    """A fixed text for the client of each service, and a log line without the secret."""
    failure = make()
    assert isinstance(failure, Exception)
    if isinstance(failure, starlette.exceptions.HTTPException):
        problem = problems.of_http(failure)
    else:
        problem = problems.of_unexpected(failure)
    body = bytes(problems.respond(problem, "req_1").body)
    assert problem.status_code in {500, 503}
    _clean(body.decode())
    for target in (
        b"/v1/chat/completions",
        b"/v1/messages",
        b"/v1/responses",
        b"/v1beta/models/m:generateContent?key=x",
        b"/mcp",
        b"/api/keys",
    ):
        _clean(raw_error(target, refusals.internal_error()).decode())
    stream = io.StringIO()
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), (type(failure), failure, None))
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines("edge"))
    handler.emit(record)
    assert SECRET not in stream.getvalue(), stream.getvalue()


def _clean(text: str) -> None:
    for told in (SECRET, "db.internal", ".py", "postgresql", "Error(", "Traceback"):
        assert told not in text, text


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
SHAPES = {
    "relay key": SECRET,
    "management token": "oat-0123456789abcdefghijABCDEFGHIJ0123456789abcdefgh",
    "OpenAI's": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
    "Anthropic's": "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789-AA",
    "Google's": "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "Groq's": "gsk-abcdefghijklmnopqrstuvwxyz0123456789",
    "xAI's": "xai-abcdefghijklmnopqrstuvwxyz0123456789",
    "AWS's": "AKIAIOSFODNN7EXAMPLE",
    "Bearer": "Bearer abcdefghijklmnopqrstuvwxyz",
    "Basic": "Basic dXNlcjpwYXNzd29yZDEyMzQ=",
    "JWT": JWT,
    "PEM": PEM,
    "password of a URL": "nats://user:hunter2hunter2@10.0.0.1:4222",
    "password with an @": "redis://:hunter2@hunter2@10.0.0.1:6379/0",
    "key in a query": "https://example.com/v1?key=abcdefghijklmnop&x=1",
    "api_key in a text": "api_key=abcdefghijklmnopqrst",
    "password in a text": "password: hunter2hunter2",
    "client secret": "client_secret=abcdefghijklmnop",
    "sealed": "v1.0a1b2c3d." + "A" * 60 + "." + "B" * 60,
    "line that is forged": f'x"}}\n{{"level":"info","key":"{SECRET}"}}',
}
WHERE = ("message", "argument", "field", "field's name", "list", "exception", "cause")
_SECRETS = re.compile(r"0123456789|abcdefghijkl|hunter2|AKIAIOSF|MIIEvQ|dXNlcjpw|dozjgNry|A{60}|1234567890abc")


def not_logged(_world: World, given: tuple[str, str]) -> None:
    """Whatever carries it, a line of the log has `[redacted]` in its place, and is one line."""
    name, where = given
    text = SHAPES[name]
    failure: Exception | None = None
    fields: dict[str, object] = {}
    message, arguments = "it says", ()
    if where == "message":
        message = f"it says {text}".replace("%", "%%")
    elif where == "argument":
        message, arguments = "it says %s", (text,)  # type: ignore[assignment]
    elif where == "field":
        fields = {"said": text}
    elif where == "field's name":
        fields = {"api_key": "abcdefghijklmnop", "cookie": "hunter2", "authorization": text}
    elif where == "list":
        fields = {"said": [{"deep": (text,)}]}
    else:
        failure = ValueError(text)
        if where == "cause":
            failure = RuntimeError("it failed")
            failure.__cause__ = ValueError(text)
    info = (type(failure), failure, None) if failure is not None else None
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, message, arguments, info)
    record.fields = fields
    line = logs.JsonLines("edge").format(record)
    assert "\n" not in line
    assert json.loads(line)["level"] == "error"
    assert not _SECRETS.search(line), line


ROWS: list[Row | Absent] = [
    Row("S-03", "exceptions that nobody foresaw", told_nothing, EXCEPTIONS),
    Row("S-10", "what logs say of secrets", not_logged, [(name, where) for name in SHAPES for where in WHERE]),
]
