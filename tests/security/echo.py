"""A provider that says what it is asked, in many small pieces, to many at a time.

The pieces of different answers come mixed. It keeps every connection, and says on demand more than it was asked.
"""

import asyncio
import contextlib
import json
import re
import threading
from typing import Any

PIECES = 8
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Echo:
    """Listens on a free loopback port. A model's name may ask for `extra` answers. `asked` has every body."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()
        self._ready.wait(10)

    def end_connections(self) -> None:
        """Closes what clients have kept."""

        def close() -> None:
            for writer in tuple(self._writers):
                writer.close()

        self._loop.call_soon_threadsafe(close)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1_024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = json.loads(await reader.readexactly(int(length[1])) if length else b"{}")
                self.heads.append(head.decode("latin-1"))
                self.asked.append(body)
                await self._answer(writer, body)
        self._writers.discard(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
        said = str(body["messages"][-1]["content"])
        if not body.get("stream"):
            writer.write(whole(said) + (whole(f"extra of {said}") if "extra" in body["model"] else b""))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(PIECES):
            writer.write(chunk({"choices": [{"index": 0, "delta": {"content": f"{said} "}}]}))
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        usage = {"prompt_tokens": 1, "completion_tokens": PIECES}
        writer.write(chunk({"choices": [], "usage": usage}) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        if "extra" in body["model"]:
            writer.write(whole(f"extra of {said}"))
        await writer.drain()


def whole(said: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    answer["usage"] = {"prompt_tokens": 1, "completion_tokens": 1}
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def chunk(event: dict[str, Any]) -> bytes:
    said = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", **event}
    data = b"data: " + json.dumps(said).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)
