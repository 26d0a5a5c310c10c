"""The stream of a message.

    stream := message_start (content_block_start content_block_delta* content_block_stop)* message_delta message_stop

`ping` may come anywhere, and `error` ends it. Usage in `message_start` holds the input; usage in `message_delta` is
cumulative and replaces the fields that it has.
"""

from typing import Any

import msgspec

from oneapi.dialects.anthropic_messages.errors import error_value
from oneapi.dialects.anthropic_messages.usage import buckets
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.meter import COMMENT, UNNAMED_ERROR, SseMeter
from oneapi.dialects.usage import Usage

PING = b'event: ping\ndata: {"type":"ping"}\n\n'


class _Delta(msgspec.Struct, gc=False):
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    content: Any = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    delta: _Delta | None = None
    usage: Any = None
    message: Any = None
    content_block: Any = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Event)


class MessagesMeter(SseMeter):
    """Meters one stream of events. Until `message_delta` the output is not told, only begun."""

    def __init__(self, *, forward_usage: bool = True) -> None:
        super().__init__(forward_usage=forward_usage)
        self._told: dict[str, Any] = {}

    @property
    def keep_alive(self) -> bytes:
        """See `StreamMeter`: nothing of the format may stand before `message_start`, but a comment may."""
        return PING if self._told else COMMENT

    @property
    def input_told(self) -> Usage:
        """See `StreamMeter`: `message_start` tells the input."""
        found = buckets({**self._told, "output_tokens": 0, "server_tool_use": None, "iterations": None})
        return {bucket: count for bucket, count in found.items() if bucket not in {"output", "reasoning"}}

    def read(self, data: bytes) -> bool:
        """See `StreamMeter`."""
        event = _decoder.decode(data)
        kind = event.type
        if kind == "content_block_delta":
            self.started = True
            delta = event.delta
            if delta is not None:
                # One of them in each delta; a signature is none of them.
                text = delta.text or delta.partial_json or delta.thinking or delta.content
                if isinstance(text, str):
                    self.text_bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        elif kind == "message_start":
            usage = event.message.get("usage") if isinstance(event.message, dict) else None
            if isinstance(usage, dict):
                self._told = usage
        elif kind == "content_block_start":
            if isinstance(event.content_block, dict):
                self._saw_block(event.content_block)
        elif kind == "message_delta":
            self.started = True
            if isinstance(event.usage, dict):
                self._told |= {name: value for name, value in event.usage.items() if value is not None}
                self.usage = buckets(self._told) or None
        elif kind == "message_stop":
            self.finished = True
        elif kind == "error" or event.error:
            error = event.error if isinstance(event.error, dict) else {}
            self.error = (str(error.get("type") or UNNAMED_ERROR), str(error.get("message") or ""))
            return False
        return True

    def finish_bytes(self, error: GatewayError, request_id: str = "") -> bytes:
        """See `StreamMeter`. The event `error`; the block that is open stays so, and no `message_stop` follows."""
        return b"event: error\ndata: " + msgspec.json.encode(error_value(error, request_id)) + b"\n\n"

    def _saw_block(self, block: dict[str, Any]) -> None:
        """An empty text block says nothing yet; a tool's name, and what comes complete, does."""
        self.saw(block.get("text"))
        if block.get("type") not in ("text", "thinking"):
            self.started = True
            self.saw(block.get("name"))
            given = block.get("input")
            if isinstance(given, dict) and given:
                self.saw(msgspec.json.encode(given).decode())
