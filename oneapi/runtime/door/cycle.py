"""uvicorn's side of one request, with an answer's head and the beginning of its body in one write.

It decides how answers look on the wire. It must not know what they say.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_WITHOUT_BODY = frozenset({204, 304})
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_CLOSE = b"connection: close\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"


class Cycle(RequestResponseCycle):
    """One request and its answer. uvicorn writes a head at once, and looks at each header by itself; on a busy edge
    that is a tenth of the work.

    uvicorn has no place to name this class: its own objects are made to be of it, so it has no state at first.
    """

    _head = b""
    _flushing: asyncio.Handle | None = None

    async def send(self, message: Any) -> None:
        """As ASGI has it. A head without a body that follows at once goes out in the loop's next turn."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.transport.is_closing() and not self.response_complete:
            # The client's end of the connection has come, and nobody was told yet.
            self.disconnected = True
        if self.disconnected:
            return
        kind = message["type"]
        if not self.response_started:
            if kind != "http.response.start":
                raise RuntimeError(f"{kind} is sent before the head")
            self._head = self._render(message["status"], message.get("headers", ()))
            self.response_started = True
            self.waiting_for_100_continue = False
            self._flushing = asyncio.get_running_loop().call_soon(self._flush)
        elif self.response_complete or kind != "http.response.body":
            raise RuntimeError(f"{kind} is sent after {'the end' if self.response_complete else 'the head'}")
        else:
            self._write(message.get("body", b""), more=message.get("more_body", False))

    def _render(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        lines = [STATUS_LINE[status]]
        closes = False
        for given, value in (*self.default_headers, *headers):
            name = given.lower()
            lines.append(b"%b: %b\r\n" % (name, value))
            if name not in _FRAMING:
                continue
            if name == b"content-length" and self.chunked_encoding is None:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            elif name == b"transfer-encoding" and value.lower() == b"chunked":
                self.expected_content_length = 0
                self.chunked_encoding = True
            elif name == b"connection" and b"close" in [token.strip() for token in value.lower().split(b",")]:
                self.keep_alive = False
                closes = True
        if not self.keep_alive and not closes:
            lines.append(_CLOSE)
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in _WITHOUT_BODY:
            self.chunked_encoding = True
            lines.append(_CHUNKED)
        head = b"".join(lines)
        count = len(lines)
        if head.count(b"\n") != count or head.count(b"\r") != count or b"\0" in head:
            raise RuntimeError("a header has a line's end in it")
        return head + b"\r\n"

    def _write(self, body: bytes, *, more: bool) -> None:
        head, self._head = self._head, b""
        if head and self._flushing is not None:
            self._flushing.cancel()
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            data = head
        elif self.chunked_encoding:
            data = b"%b%x\r\n%b\r\n" % (head, len(body), body) if body else head
            if not more:
                data += b"0\r\n\r\n"
        else:
            if len(body) > self.expected_content_length:
                raise RuntimeError("the body is longer than its head says")
            self.expected_content_length -= len(body)
            data = head + body
        if data:
            self.transport.write(data)
        if not more:
            self._end()

    def _end(self) -> None:
        if self.expected_content_length != 0:
            raise RuntimeError("the body is shorter than its head says")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _flush(self) -> None:
        head, self._head = self._head, b""
        if head and not self.disconnected and not self.transport.is_closing():
            self.transport.write(head)
