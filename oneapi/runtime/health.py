"""Says whether a process lives and whether it can serve.

It decides the two answers, `/healthz` and `/readyz`, and must not know what the parts of a service are.
"""

from typing import Any

import msgspec

from oneapi.dialects.errors import GatewayError
from oneapi.runtime.asgi import AsgiApp, Receive, Scope, Send
from oneapi.runtime.door.answers import small_json
from oneapi.runtime.door.head import inspect
from oneapi.runtime.door.limits import DoorLimits
from oneapi.runtime.http_server import HttpServer

LIMITS = DoorLimits(body_bytes=0, discard_bytes=64 * 1024)
"""Of listeners that answer nothing but these two: nobody has to send them much."""


LIFE, READINESS = b"/healthz", b"/readyz"
PATHS = frozenset({LIFE, READINESS})


class Readiness:
    """Which parts of a service are not well. The parts given at the start are missing until they are set."""

    def __init__(self, *parts: str) -> None:
        self._missing: dict[str, str] = dict.fromkeys(parts, "starting")

    def set(self, part: str, ok: bool, why: str = "") -> None:
        """Marks a part as well, or as missing because of `why` (shown to anybody: no secrets, no addresses)."""
        if ok:
            self._missing.pop(part, None)
        else:
            self._missing[part] = why or "not ready"

    def missing(self) -> dict[str, str]:
        """Part to reason; empty when requests can be served."""
        return dict(self._missing)

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self._missing


def asgi(readiness: Readiness) -> AsgiApp:
    """An ASGI app answering `/healthz` (200) and `/readyz` (200, or 503 with JSON naming what is missing)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        raw_path = scope["raw_path"]
        if raw_path == LIFE:
            status, body = 200, {"status": "ok"}
        elif raw_path == READINESS:
            status, body = ready_answer(readiness)
        else:
            status, body = 404, {"status": "not found"}
        payload = b"" if scope["method"] == "HEAD" else msgspec.json.encode(body)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    return app


def ready_answer(readiness: Readiness) -> tuple[int, dict[str, Any]]:
    """Status and JSON body of `/readyz`: 200 `{"status": "ready"}` or 503 `{"status": "not ready", "missing": {…}}`."""
    missing = readiness.missing()
    if missing:
        return 503, {"status": "not ready", "missing": missing}
    return 200, {"status": "ready"}


def listener(app: AsgiApp, host: str, port: int) -> HttpServer:
    """A listener of its own for services without HTTP. The caller awaits its `start()` and `stop()`."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            inspect(scope)
        except GatewayError as error:
            headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
            body = msgspec.json.encode({"status": error.message, "code": error.code})
            await send({"type": "http.response.start", "status": error.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await app(scope, receive, send)

    return HttpServer(guarded, host, port, render=small_json, limits=LIMITS)


def serve(readiness: Readiness, host: str, port: int) -> HttpServer:
    """A listener for the two answers alone."""
    return listener(asgi(readiness), host, port)
