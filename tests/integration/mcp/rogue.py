"""A tool server that lists one tool properly and answers calls of it as a test wants."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from oneapi.runtime.door.answers import small_json
from oneapi.runtime.http_server import HttpServer

JSON = (b"content-type", b"application/json")
SSE = (b"content-type", b"text/event-stream")
Reply = Callable[[Any, int | str], Awaitable[None]]


class Rogue:
    """`on_call(send, id)` answers a call over the raw ASGI `send`. `calls` counts them; `requests` counts all."""

    def __init__(self) -> None:
        self.on_call: Reply = answer_text("fine")
        self.on_list: Reply = answer_result({"tools": [{"name": "t", "inputSchema": {"type": "object"}}]})
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.gone = asyncio.Event()
        self._listener = HttpServer(self, "127.0.0.1", 0, render=small_json)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}/mcp"

    async def start(self) -> None:
        await self._listener.start()

    async def stop(self) -> None:
        await self._listener.stop(0.1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            self.requests.append(scope["method"])
            await respond(send, 405, b"")
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = msgspec.json.decode(body)
        method = request["method"]
        self.requests.append(method)
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if method == "initialize":
            answer = {
                "protocolVersion": "2025-11-25",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "rogue", "version": "1"},
            }
            await answer_result(answer)(send, request["id"])
        elif method == "tools/list":
            await self.on_list(send, request["id"])
        elif method == "tools/call":
            await self._call(receive, send, request["id"])
        elif "id" in request:
            error = {"code": -32601, "message": "Method not found"}
            body = msgspec.json.encode({"jsonrpc": "2.0", "id": request["id"], "error": error})
            await respond(send, 404, body, JSON)
        else:
            await respond(send, 202, b"")

    async def _call(self, receive: Any, send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.gone.set()

        watching = asyncio.create_task(watch())
        try:
            await self.on_call(send, id)
        finally:
            watching.cancel()


async def respond(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})


def answer_result(result: Any) -> Reply:
    async def reply(send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        await respond(send, 200, msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": result}), JSON)

    return reply


def answer_text(text: str) -> Reply:
    return answer_result({"content": [{"type": "text", "text": text}]})


def answer_error(code: int, message: str, status: int = 200) -> Reply:
    async def reply(send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        error = {"code": code, "message": message, "data": {"secret": "in data"}}
        await respond(send, status, msgspec.json.encode({"jsonrpc": "2.0", "id": id, "error": error}), JSON)

    return reply


def answer_raw(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Reply:
    async def reply(send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        await respond(send, status, body, *headers)

    return reply


def answer_endless(header: tuple[bytes, bytes], piece: bytes) -> Reply:
    """A body without an end."""

    async def reply(send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        await send({"type": "http.response.start", "status": 200, "headers": [header]})
        while True:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)

    return reply


def answer_never() -> Reply:
    async def reply(send: Any, id: int | str) -> None:  # noqa: A002 - JSON-RPC's own word
        await asyncio.get_running_loop().create_future()

    return reply
