"""Canonical events as a message's events.

    stream := message_start ping block* message_delta message_stop
    block  := content_block_start content_block_delta* content_block_stop

- Every event has its name in an `event:` line. Indices count blocks from 0, and one block is open at a time.
- `message_start` tells an estimate of the input where the upstream hasn't told it; `message_delta` tells all of usage.
- Reasoning without any text is a `redacted_thinking` block, whole at its start; other thinking gets a signature before
  it ends, since clients require one: the provider's own, or a seal of what the other provider wants back.
- A search on the web that the provider ran is told with its query and no results.
- A failure is the event `error`: the block that is open stays so, and nothing follows.
"""

from typing import Any

import msgspec

from oneapi.dialects.anthropic_messages.blocks import NAME
from oneapi.dialects.anthropic_messages.errors import error_value
from oneapi.dialects.anthropic_messages.reasoning import encode_reasoning, signature
from oneapi.dialects.anthropic_messages.search import encode_search
from oneapi.dialects.anthropic_messages.stops import encode_stop
from oneapi.dialects.anthropic_messages.usage_encoder import encode_usage
from oneapi.dialects.canonical.context import Answering
from oneapi.dialects.canonical.events import (
    Event,
    MessageEnd,
    MessageStart,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    UsageTold,
)
from oneapi.dialects.canonical.ids import legal_id
from oneapi.dialects.canonical.parts import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from oneapi.dialects.errors import GatewayError
from oneapi.dialects.usage import BYTES_PER_TOKEN, Usage

_encode = msgspec.json.encode
_DELTA_END = b"}}\n\n"


class MessagesEncoder:
    """Encodes one stream."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._began = False
        self._part: Part | None = None
        self._opened = False
        self._index = 0
        self._delta_start = b""
        self._usage: Usage | None = None
        self._characters = 0
        self._kinds: set[type[Part]] = set()

    def write(self, events: list[Event]) -> bytes:
        """See `StreamEncoder`."""
        out = bytearray()
        for event in events:
            if type(event) is PartDelta:
                out += self._delta(event.text)
            elif isinstance(event, PartStart):
                out += self._begin(None) + self._start(event.part)
            elif isinstance(event, PartEnd):
                out += self._end(event)
            elif isinstance(event, MessageStart):
                out += self._begin(event.usage)
            elif isinstance(event, UsageTold):
                self._usage = event.usage
            elif isinstance(event, PartCitation):
                self._answering.losses.add("annotations")
            elif isinstance(event, MessageEnd):
                out += self._begin(None) + self._finish(event)
        return bytes(out)

    def fail(self, error: GatewayError, request_id: str) -> bytes:
        """See `StreamEncoder`."""
        return b"event: error\ndata: " + _encode(error_value(error, request_id)) + b"\n\n"

    def _begin(self, usage: Usage | None) -> bytes:
        if self._began:
            return b""
        self._began = True
        self._usage = usage
        message: dict[str, Any] = {
            "id": self._answering.id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": self._answering.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": encode_usage(usage or {"input": self._answering.input_tokens}) | {"output_tokens": 1},
        }
        return _event("message_start", message=message) + _event("ping")

    def _start(self, part: Part) -> bytes:
        self._part, self._opened = part, False
        self._kinds.add(type(part))
        if isinstance(part, ToolCall):
            call_id = legal_id(part.id) or self._answering.part_id("toolu_")
            return self._open(
                {"type": "tool_use", "id": call_id, "name": part.name, "input": {}}, "input_json", "partial_json"
            )
        if isinstance(part, Opaque) and part.search is not None:
            blocks = encode_search(part.search, self._answering.part_id("srvtoolu_"))
            return b"".join(self._block(block) for block in blocks)
        return b""

    def _block(self, block: dict[str, Any]) -> bytes:
        """A block that is whole at its start."""
        index, self._index = self._index, self._index + 1
        start = _event("content_block_start", index=index, content_block=block)
        return start + _event("content_block_stop", index=index)

    def _open(self, skeleton: dict[str, Any], kind: str, field: str) -> bytes:
        self._opened = True
        start = f'{{"type":"content_block_delta","index":{self._index},"delta":{{"type":"{kind}_delta","{field}":'
        self._delta_start = b"event: content_block_delta\ndata: " + start.encode()
        return _event("content_block_start", index=self._index, content_block=skeleton)

    def _delta(self, text: str) -> bytes:
        if not text or self._part is None:
            return b""
        self._characters += len(text)
        if self._opened:
            return self._delta_start + _encode(text) + _DELTA_END
        if isinstance(self._part, Text | Refusal):
            start = self._open({"type": "text", "text": ""}, "text", "text")
        elif isinstance(self._part, Reasoning):
            start = self._open({"type": "thinking", "thinking": "", "signature": ""}, "thinking", "thinking")
        else:
            return b""
        return start + self._delta_start + _encode(text) + _DELTA_END

    def _end(self, event: PartEnd) -> bytes:
        part, self._part = self._part, None
        if isinstance(part, Reasoning) and not self._opened:
            native = event.state is not None and event.state.dialect == NAME
            empty = event.state is None or not (native or event.state.value)
            return b"" if empty else self._block(encode_reasoning("", event.state, self._answering.seal))
        if not self._opened:
            return b""
        out = b""
        if isinstance(part, Reasoning):
            token = signature(event.state, self._answering.seal)
            out = _event(
                "content_block_delta", index=self._index, delta={"type": "signature_delta", "signature": token}
            )
        self._opened = False
        self._index += 1
        return out + _event("content_block_stop", index=self._index - 1)

    def _finish(self, event: MessageEnd) -> bytes:
        usage = self._usage
        if usage is None or not usage.keys() & {"output", "reasoning"}:
            output = -(-self._characters // BYTES_PER_TOKEN)
            usage = {**(usage or {"input": self._answering.input_tokens}), "output": output}
        only_refusal = Refusal in self._kinds and self._kinds <= {Refusal, Reasoning}
        delta = encode_stop(event.stop, only_refusal=only_refusal)
        return _event("message_delta", delta=delta, usage=encode_usage(usage)) + _event("message_stop")


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + _encode({"type": kind, **fields}) + b"\n\n"
