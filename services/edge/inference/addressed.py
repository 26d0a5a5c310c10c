"""What a request's address says where a format has it there instead of in the body, and streams as one list.

It must not know how an address is read.
"""

import msgspec

from oneapi.dialects.gemini_generate.json_array import JsonArray
from oneapi.runtime.asgi import Message, Send

_LIST_TYPE = (b"content-type", b"application/json")


class Addressed(msgspec.Struct, frozen=True):
    """`events`: a stream is wanted as events, and not as one list."""

    model: str
    stream: bool
    events: bool


class AsList:
    """Sends a stream of events as one JSON list."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._list = JsonArray()

    async def __call__(self, message: Message) -> None:
        """An ASGI message of the stream."""
        if message["type"] == "http.response.start":
            headers = [header for header in message["headers"] if header[0] != _LIST_TYPE[0]]
            await self._send({**message, "headers": [_LIST_TYPE, *headers]})
            return
        more = message["more_body"]
        body = self._list.feed(message["body"]) + (b"" if more else self._list.end())
        if body or not more:
            await self._send({**message, "body": body})
