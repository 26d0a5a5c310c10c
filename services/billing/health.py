"""The HTTP listener of billing: `/healthz` and `/readyz`, which also says whether this replica writes or stands by.

It must not know what makes a replica ready.
"""

from collections.abc import Callable

import msgspec

from oneapi.runtime import health
from oneapi.runtime.asgi import AsgiApp, Message, Receive, Scope, Send
from oneapi.runtime.health import READINESS, Readiness, asgi
from oneapi.runtime.http_server import HttpServer


def app(readiness: Readiness, is_writer: Callable[[], bool]) -> AsgiApp:
    """The usual health app, with `"role": "writer"` or `"standby"` in the answer of `/readyz`."""
    inner = asgi(readiness)

    async def with_role(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_role(message: Message) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                answer = msgspec.json.decode(message["body"], type=dict[str, object])
                answer["role"] = "writer" if is_writer() else "standby"
                message = {**message, "body": msgspec.json.encode(answer)}
            await send(message)

        await inner(scope, receive, send_with_role if scope["raw_path"] == READINESS else send)

    return with_role


def listener(readiness: Readiness, is_writer: Callable[[], bool], host: str, port: int) -> HttpServer:
    """The listener; the caller awaits its `start()` and `stop()`."""
    return health.listener(app(readiness, is_writer), host, port)
