"""Request bodies: JSON as strict as money needs it.

Refuses what is not JSON (NaN, trailing garbage, broken Unicode), what means two things (duplicate keys), and what is
too big or too deep. This module must not know which fields a body should have.
"""

import json
from typing import Any, NoReturn

from starlette.requests import Request

from oneapi.dialects import json_guard
from oneapi.runtime.door.body import read_body
from services.admin.web.entrance import head_of
from services.admin.web.problems import Problem

MAX_BODY = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 50_000


class JsonRequest(Request):
    """A request whose body is already read and parsed."""

    def __init__(self, request: Request, body: bytes, parsed: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._read = body
        self._parsed = parsed

    async def body(self) -> bytes:
        """The body's bytes."""
        return self._read

    async def json(self) -> Any:
        """The parsed body."""
        return self._parsed


async def read(request: Request) -> JsonRequest:
    """Reads and parses the body. Raises Problem: 400 broken JSON, 415 another type; GatewayError 413 and ClientGone."""
    body = await read_body(request.receive, head_of(request).content_length, MAX_BODY)
    if not body:
        return JsonRequest(request, body, None)
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "unsupported_media_type", "The body must be application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "unsupported_media_type", "The body must not be compressed.")
    return JsonRequest(request, body, parse(body))


def parse(body: bytes) -> Any:
    """The value of a JSON text. Raises Problem."""
    try:
        json_guard.check(body, max_depth=MAX_DEPTH, max_nodes=MAX_NODES)
        parsed = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise _broken() from error
    _check_text(parsed)
    return parsed


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(400, "duplicate_key", "The JSON has an object with the same key twice.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError
    return number


def _check_text(value: Any) -> None:
    """Refuses characters that no store can keep: lone surrogates and NUL."""
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)):
            raise _broken()
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)


def _broken() -> Problem:
    return Problem(400, "invalid_json", "The body is not valid JSON.")
